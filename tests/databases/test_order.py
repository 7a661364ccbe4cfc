"""Numbers follow the order of commits, without gaps, with any number of writers: polling by number misses nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app.core.config import Settings
from app.core.database import Database, Deadlines, UnitOfWork
from app.models import Room
from app.services import changes, messages
from app.services.callers import Caller
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, user_named

WRITERS, EACH = 8, 40


@asynccontextmanager
async def other_node(settings: Settings, deadlines: Deadlines | None = None) -> AsyncIterator[Database]:
    """The same database as a second process sees it, with its own connections, writer thread and batches."""
    node = Database(settings.url, pool_size=2, deadlines=deadlines)
    yield node
    await asyncio.to_thread(node.close)


async def test_a_client_that_polls_by_number_misses_nothing_from_eight_writers(
    settings: Settings, database: Database
) -> None:
    """With autoincrement ids, such a client missed 55 of 480 messages on PostgreSQL and 44 on MariaDB."""
    ann = await user_named(database, "ann")
    room = await room_of(database, ann)
    start = (await database.read(changes.since, room, 0, 1000)).seq
    writing = [
        asyncio.create_task(write_messages(settings, ann, room, str(number))) for number in range(WRITERS)
    ]
    seen: list[int] = []
    while len(seen) < WRITERS * EACH:
        found = await database.read(changes.since, room, start, 1000)
        seen += [json.loads(body)["seq"] for body in found.bodies]
        start = found.seq
        for task in writing:
            if task.done():
                task.result()
    assert seen == list(range(2, WRITERS * EACH + 2)), (
        "the first message must follow the owner's join, number 1"
    )
    await asyncio.gather(*writing)


async def write_messages(settings: Settings, caller: Caller, room: int, prefix: str) -> None:
    async with other_node(settings) as node:
        member, ledger = await member_of(node, caller, room), Ledger(node)
        for number in range(0, EACH, 4):
            await say(ledger, member, *(f"{prefix} {number + extra}" for extra in range(4)))


def take_number(db: UnitOfWork, room: int) -> int:
    return db.get_one(Room, room, with_for_update=True).next_seq()


async def test_none_of_six_hundred_read_modify_write_transactions_is_lost(
    settings: Settings, database: Database
) -> None:
    """SQLite in WAL mode, without BEGIN IMMEDIATE, kept 23 of 600. All are submitted at once: the last may wait."""
    room = await room_of(database, await user_named(database, "ann"))
    patient = Deadlines(begin=60, run=60, lock=60)
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(other_node(settings, patient)) for _ in range(3)]
        taken = await asyncio.gather(*(node.write(take_number, room) for node in nodes * 200))
    assert sorted(taken) == list(range(2, 602))


async def test_two_nodes_that_write_to_many_rooms_at_once_never_deadlock(
    settings: Settings, database: Database
) -> None:
    ann = await user_named(database, "ann")
    rooms = [await room_of(database, ann, f"Room {number}") for number in range(6)]
    async with other_node(settings) as other:
        await asyncio.gather(
            *(
                write_to_each_room(node, ann, order)
                for node in (database, other)
                for order in (rooms, rooms[::-1])
            )
        )
    for room in rooms:
        page = (await database.read(messages.page, ann, room, None, None, 200))[1]
        assert [message["id"] for message in page] == list(range(1, 41))


async def write_to_each_room(node: Database, caller: Caller, rooms: list[int]) -> None:
    """Ten rounds, in each one message to every room at once."""
    ledger = Ledger(node)
    members = [await member_of(node, caller, room) for room in rooms]
    for _ in range(10):
        await asyncio.gather(*(say(ledger, member, "hello") for member in members))
