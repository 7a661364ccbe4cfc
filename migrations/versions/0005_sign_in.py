"""chains of refresh tokens, origins of logins, and keys of usernames that look alike

Names that exist stay valid: where two look alike, both keep theirs, and only the older one has the key.
"""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from alembic import op

from app.core.look_alikes import look_alike_keys
from app.core.names import name_key

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BATCH = 500
MAX_KEY = 255

users = sa.table("users", sa.column("id"), sa.column("username"), sa.column("name_key"))
username_keys = sa.table("username_keys", sa.column("key"), sa.column("user_id"))


def upgrade() -> None:
    op.add_column("sessions", sa.Column("origin", sa.String(64), server_default="", nullable=False))
    op.add_column("refresh_tokens", sa.Column("number", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "username_keys",
        sa.Column("key", sa.String(MAX_KEY), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_username_keys_user_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_username_keys")),
        mariadb_charset="utf8mb4",
        mariadb_collate="utf8mb4_bin",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    for batch in _batches():
        _change_name_keys(batch)
        _add_keys(batch)


def downgrade() -> None:
    op.drop_table("username_keys")
    op.drop_column("refresh_tokens", "number")
    op.drop_column("sessions", "origin")


def _batches() -> Iterator[Sequence[sa.Row[tuple[int, str, str]]]]:
    """The users, in the order of their accounts."""
    last = 0
    while True:
        query = sa.select(users).where(users.c.id > last).order_by(users.c.id).limit(BATCH)
        batch = op.get_bind().execute(query).all()
        if not batch:
            return
        yield batch
        last = batch[-1].id


def _change_name_keys(batch: Sequence[sa.Row[tuple[int, str, str]]]) -> None:
    """Look-alikes of other scripts had the same key until now. New keys tell apart whatever old keys did."""
    for user in batch:
        if name_key(user.username) != user.name_key:
            change = users.update().where(users.c.id == user.id)
            op.execute(change.values(name_key=name_key(user.username)))


def _add_keys(batch: Sequence[sa.Row[tuple[int, str, str]]]) -> None:
    owners: dict[str, int] = {}
    for user in batch:
        for key in look_alike_keys(user.username):
            if len(key) <= MAX_KEY:
                owners.setdefault(key, user.id)
    query = sa.select(username_keys.c.key).where(username_keys.c.key.in_(owners))
    taken = set(op.get_bind().execute(query).scalars())
    rows = [{"key": key, "user_id": owner} for key, owner in owners.items() if key not in taken]
    if rows:
        op.bulk_insert(username_keys, rows)
