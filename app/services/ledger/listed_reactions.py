"""The reactions that a message object lists: bounded, however many users there are."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Select, func, select, tuple_

from app.core.database import UnitOfWork
from app.models import Reaction, User
from app.schemas.reactions import ReactionObject

Key = tuple[int, int]
"""Room and message id."""
Counts = dict[str, int]
"""Users of each emoji, oldest emoji first."""
Names = dict[str, list[str]]

MAX_USERS = 100
"""Users listed for one emoji; `count` tells how many there are."""
MAX_NAME_BYTES = 160 << 10
"""Names listed for one message: 50 emoji of 100 users, 30 bytes each. A message with longer ones lists fewer, so that
no object exceeds a page of a catch-up."""
MAX_NAMES = 10_000
"""Names read at once, except that those of one message are never split."""

_of_message = tuple_(Reaction.room_id, Reaction.message_id)


def listed_reactions(db: UnitOfWork, keys: Sequence[Key]) -> Iterator[list[ReactionObject]]:
    """The reactions to each of these messages, read as they are asked for: in two queries as a rule."""
    counts = _counts(db, keys) if keys else {}
    for portion in _portions(keys, counts):
        names = _names(db, portion, counts)
        for key in portion:
            yield _listed(counts.get(key, {}), names.get(key, {}))


def _counts(db: UnitOfWork, keys: Sequence[Key]) -> dict[Key, Counts]:
    rows = db.execute(
        select(Reaction.room_id, Reaction.message_id, Reaction.emoji, func.count().label("users"))
        .where(_of_message.in_(keys))
        .group_by(Reaction.room_id, Reaction.message_id, Reaction.emoji)
        .order_by(func.min(Reaction.seq))
    )
    found: dict[Key, Counts] = {}
    for room_id, message_id, emoji, users in rows:
        found.setdefault((room_id, message_id), {})[emoji] = users
    return found


def _portions(keys: Sequence[Key], counts: Mapping[Key, Counts]) -> Iterator[list[Key]]:
    portion: list[Key] = []
    size = 0
    for key in keys:
        names = sum(min(count, MAX_USERS) for count in counts.get(key, {}).values())
        if portion and size + names > MAX_NAMES:
            yield portion
            portion, size = [], 0
        portion.append(key)
        size += names
    if portion:
        yield portion


def _names(db: UnitOfWork, keys: Sequence[Key], counts: Mapping[Key, Counts]) -> dict[Key, Names]:
    """The first users of each emoji, in the order they reacted."""
    known = [key for key in keys if key in counts]
    if not known:
        return {}
    is_long = any(count > MAX_USERS for key in known for count in counts[key].values())
    found: dict[Key, Names] = {}
    for room_id, message_id, emoji, name in db.execute((_first if is_long else _all)(known)):
        found.setdefault((room_id, message_id), {}).setdefault(emoji, []).append(name)
    return found


def _all(keys: Sequence[Key]) -> Select[int, int, str, str]:
    return (
        select(Reaction.room_id, Reaction.message_id, Reaction.emoji, User.username)
        .join(User, User.id == Reaction.user_id)
        .where(_of_message.in_(keys))
        .order_by(Reaction.seq)
    )


def _first(keys: Sequence[Key]) -> Select[int, int, str, str]:
    of_emoji = (Reaction.room_id, Reaction.message_id, Reaction.emoji)
    place = func.row_number().over(partition_by=of_emoji, order_by=Reaction.seq).label("place")
    ranked = select(*of_emoji, Reaction.user_id, Reaction.seq, place).where(_of_message.in_(keys)).subquery()
    return (
        select(ranked.c.room_id, ranked.c.message_id, ranked.c.emoji, User.username)
        .join(User, User.id == ranked.c.user_id)
        .where(ranked.c.place <= MAX_USERS)
        .order_by(ranked.c.seq)
    )


def _listed(counts: Counts, names: Names) -> list[ReactionObject]:
    left = MAX_NAME_BYTES
    reactions: list[ReactionObject] = []
    for emoji, count in counts.items():
        users: list[str] = []
        for name in names.get(emoji, ()):
            left -= len(name.encode()) + len('"",')
            if left < 0:
                break
            users.append(name)
        reactions.append({"emoji": emoji, "users": users, "count": count})
    return reactions
