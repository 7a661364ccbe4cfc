"""Gives keys to the usernames that are older than the rule against look-alikes, for the migration that brought it."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Row, column, insert, select, table, update

from app.core.look_alikes import look_alike_keys
from app.core.names import name_key

BATCH = 500
MAX_KEY = 255

# The columns as they were then: those of the models may change.
_users = table("users", column("id"), column("username"), column("name_key"))
_keys = table("username_keys", column("key"), column("user_id"))

Batch = Sequence[Row[tuple[int, str, str]]]


def fill(connection: Connection) -> None:
    """Names that exist stay valid: where two look alike, both keep theirs, and only the older one has the key."""
    for batch in _batches(connection):
        _change_name_keys(connection, batch)
        _add_keys(connection, batch)


def _batches(connection: Connection) -> Iterator[Batch]:
    """The users, in the order of their accounts."""
    last = 0
    while True:
        query = select(_users).where(_users.c.id > last).order_by(_users.c.id).limit(BATCH)
        batch = connection.execute(query).all()
        if not batch:
            return
        yield batch
        last = batch[-1].id


def _change_name_keys(connection: Connection, batch: Batch) -> None:
    """Look-alikes of other scripts had the same key until then. New keys tell apart whatever old keys did."""
    for user in batch:
        key = name_key(user.username)
        if key != user.name_key:
            connection.execute(update(_users).where(_users.c.id == user.id).values(name_key=key))


def _add_keys(connection: Connection, batch: Batch) -> None:
    owners: dict[str, int] = {}
    for user in batch:
        for key in look_alike_keys(user.username):
            if len(key) <= MAX_KEY:
                owners.setdefault(key, user.id)
    taken = set(connection.execute(select(_keys.c.key).where(_keys.c.key.in_(owners))).scalars())
    rows = [{"key": key, "user_id": owner} for key, owner in owners.items() if key not in taken]
    if rows:
        connection.execute(insert(_keys), rows)
