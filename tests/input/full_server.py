"""A server filled to its limits: written to the database, where filling it takes seconds."""

from collections.abc import Iterator, Sequence

from sqlalchemy import func, insert, make_url, select, update

from app.core.database import Database, UnitOfWork
from app.models import Message, Reaction, Room
from app.schemas.fields import MAX_CONTENT, MAX_NAME
from app.services import members, users
from app.services.callers import Caller
from app.services.ledger.listed_reactions import MAX_USERS
from app.services.reactions import MAX_EMOJI
from app.services.rooms import MAX_ROOMS
from tests.support.server import ChatServer

LONGEST_TEXT = "x" + "\x01" * (MAX_CONTENT - 1)
"""A control character takes six bytes in JSON: 48 kB."""
MESSAGES = 250
"""More than a page of the history may have."""
FULL_MESSAGES = 6
"""Messages with reactions of everybody. The last is the newest of the room."""
EVERYBODY = MAX_USERS + 20
ROOMS = MAX_ROOMS + 200
FIRST_SEQ = 10_000
"""Above the numbers of those who joined."""
WIDE = "\U00020000"
"""A letter of four bytes."""


def fill(server: ChatServer, caller: str) -> int:
    """Fill a server; `caller` is a user who exists. Returns the fullest room, where everybody is a member."""
    database = Database(make_url(server.settings["DATABASE_URL"]), pool_size=1)
    room, _ = database.transact(lambda db: _fill(db, caller))
    database.close()
    return room


def _fill(db: UnitOfWork, caller: str) -> int:
    everybody = [
        users.sign_up(db, f"{WIDE * (MAX_NAME - 3)}{number:03}", "no hash") for number in range(EVERYBODY)
    ]
    speaker = users.named(db, caller)
    first = (db.scalar(select(func.max(Room.id))) or 0) + 1
    rooms = range(first, first + ROOMS)
    db.execute(insert(Room), [_room(number, speaker.id) for number in rooms])
    full = first
    for user in everybody:
        members.enter(db, Caller(user.id, user.username, "", user.created_at, 0), full)
    db.flush()
    _say(db, [full], speaker.id, MESSAGES)
    _say(db, rooms[1:], speaker.id, 1)
    newest = range(MESSAGES - FULL_MESSAGES + 1, MESSAGES + 1)
    db.execute(insert(Reaction), list(_reactions(full, newest, [user.id for user in everybody])))
    return full


def _room(number: int, owner: int) -> dict[str, object]:
    name = f"{WIDE * (MAX_NAME - 5)}{number:05}"
    return {"id": number, "name": name, "kind": "open", "created_at": 1, "created_by": owner}


def _say(db: UnitOfWork, rooms: Sequence[int], sender: int, count: int) -> None:
    """Long messages, each with a change of its own: every one has to be looked up for reactions."""
    rows = [
        {
            "room_id": room_id,
            "id": number,
            "seq": FIRST_SEQ + number,
            "changed_seq": FIRST_SEQ + count + number,
            "sender_id": sender,
            "content": LONGEST_TEXT,
            "created_at": 1,
            "edited_at": 1,
            "client_id": f"{WIDE * 59}{number:05}",
        }
        for room_id in rooms
        for number in range(1, count + 1)
    ]
    db.execute(insert(Message), rows)
    counters = {"last_message_id": count, "last_live_id": count, "last_seq": FIRST_SEQ + 2 * count}
    db.execute(update(Room).where(Room.id.in_(rooms)).values(counters))


def _reactions(room_id: int, ids: range, user_ids: list[int]) -> Iterator[dict[str, object]]:
    seq = 0
    for message_id in ids:
        for number in range(MAX_EMOJI):
            for user_id in user_ids:
                seq += 1
                emoji = f"{WIDE * 30}{number:02}"
                yield {
                    "room_id": room_id,
                    "message_id": message_id,
                    "user_id": user_id,
                    "emoji": emoji,
                    "seq": seq,
                }
