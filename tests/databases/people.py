"""Users, rooms and messages written directly into a database, without a server or a socket."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from app.core.database import Database, DatabaseUnavailable, UnitOfWork
from app.schemas.messages import MessageDraft
from app.schemas.rooms import RoomDraft
from app.services import members, rooms, users
from app.services.access import Membership
from app.services.callers import Caller
from app.services.ledger import Ledger, Posted
from app.services.receipts import Receipt, Receipts

T = TypeVar("T")

PREPARED_SECONDS = 30.0
"""A busy machine may refuse work under the short deadlines of a test, which nothing else has to wait for."""


async def until_done(work: Callable[[], Awaitable[T]]) -> T:
    """Try again what stored nothing, as a client does. Raises TimeoutError."""
    async with asyncio.timeout(PREPARED_SECONDS):
        while True:
            try:
                return await work()
            except DatabaseUnavailable:
                await asyncio.sleep(0.05)


def _sign_up(db: UnitOfWork, name: str) -> Caller:
    user = users.sign_up(db, name, "no hash")
    return Caller(user.id, user.username, "", user.created_at, 0)


async def user_named(database: Database, name: str) -> Caller:
    return await until_done(partial(database.write, _sign_up, name))


async def room_of(database: Database, owner: Caller, name: str = "Room") -> int:
    draft = RoomDraft(name=name)
    return (await until_done(partial(database.write, rooms.create, owner, draft))).id


async def member_of(database: Database, who: Caller, room: int) -> Membership:
    return await until_done(partial(database.write, members.enter, who, room))


async def say(
    ledger: Ledger, member: Membership, *contents: str, client_id: str | None = None
) -> Sequence[Posted]:
    """Post these messages concurrently."""
    drafts = [MessageDraft(content=content, client_id=client_id) for content in contents]
    return await asyncio.gather(*(ledger.post(member, draft) for draft in drafts))


async def submit_receipts(receipts: Receipts, *positions: tuple[Membership, int]) -> list[int | Exception]:
    """Submit a receipt for each member and message id at once. Returns the read position of each member afterwards."""
    loop = asyncio.get_running_loop()
    answers: list[asyncio.Future[int | Exception]] = [loop.create_future() for _ in positions]
    for (member, message_id), answer in zip(positions, answers, strict=True):
        receipt = Receipt(member.room_id, member.user_id, member.username, message_id)
        receipts.submit(receipt, answer.set_result)
    return await asyncio.gather(*answers)
