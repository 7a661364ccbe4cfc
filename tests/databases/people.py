"""Users, rooms and words, put straight into a database: no server, no socket."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.orm import Session as Db

from app.core.database import Database
from app.schemas.messages import MessageDraft
from app.schemas.rooms import RoomDraft
from app.services import members, rooms, users
from app.services.access import Membership
from app.services.callers import Caller
from app.services.ledger import Ledger, Posted
from app.services.receipts import Mark, Marks, Outcome


def _sign_up(db: Db, name: str) -> Caller:
    user = users.sign_up(db, name, "no hash")
    return Caller(user.id, user.username, "", user.created_at, 0)


async def somebody(database: Database, name: str) -> Caller:
    return await database.write(_sign_up, name)


async def room_of(database: Database, owner: Caller, name: str = "Room") -> int:
    return (await database.write(rooms.create, owner, RoomDraft(name=name))).id


async def member_of(database: Database, who: Caller, room: int) -> Membership:
    return await database.write(members.enter, who, room)


async def say(
    ledger: Ledger, member: Membership, *words: str, client_id: str | None = None
) -> Sequence[Posted]:
    """Post all of these at once."""
    drafts = [MessageDraft(content=word, client_id=client_id) for word in words]
    return await asyncio.gather(*(ledger.post(member, draft) for draft in drafts))


async def read(marks: Marks, *read: tuple[Membership, int]) -> list[Outcome]:
    """Mark all of these at once; where each mark is afterwards."""
    loop = asyncio.get_running_loop()
    answers: list[asyncio.Future[Outcome]] = [loop.create_future() for _ in read]
    for (member, number), answer in zip(read, answers, strict=True):
        marks.submit(Mark(member.room_id, member.user_id, member.username, number, answer.set_result))
    return await asyncio.gather(*answers)
