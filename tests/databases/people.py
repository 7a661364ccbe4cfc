"""Users, rooms and words, put straight into a database: no server, no socket."""

import asyncio
from collections.abc import Sequence

from app.core.database import Database, UnitOfWork
from app.schemas.messages import MessageDraft
from app.schemas.rooms import RoomDraft
from app.services import members, rooms, users
from app.services.access import Membership
from app.services.callers import Caller
from app.services.ledger import Ledger, Posted
from app.services.receipts import Receipt, Receipts


def _sign_up(db: UnitOfWork, name: str) -> Caller:
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


async def read(receipts: Receipts, *read: tuple[Membership, int]) -> list[int | Exception]:
    """Send all of these at once; returns the read position of each afterwards."""
    loop = asyncio.get_running_loop()
    answers: list[asyncio.Future[int | Exception]] = [loop.create_future() for _ in read]
    for (member, number), answer in zip(read, answers, strict=True):
        receipt = Receipt(member.room_id, member.user_id, member.username, number)
        receipts.submit(receipt, answer.set_result)
    return await asyncio.gather(*answers)
