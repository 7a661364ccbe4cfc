"""Read marks on each database: many in one commit, never back, never beyond what was said, never in messages' way."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import event

from app.core.config import Settings
from app.core.database import Database
from app.schemas.fields import MAX_ID
from app.services import rooms
from app.services.access import Membership, RoomNotFound
from app.services.announcements import EphemeralEvents
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.receipts import Receipt, Receipts, move
from tests.databases.people import member_of, read, room_of, say, somebody
from tests.databases.test_order import other_node

ROUNDS = 40


class Room:
    """A room with its owner and some readers, and what was told in it of reading."""

    def __init__(self, database: Database, number: int) -> None:
        self.database = database
        self.number = number
        self.people: list[Caller] = []
        self.readers: list[Membership] = []
        self.told: list[EphemeralEvents] = []

    def hear(self, announced: list[Any]) -> None:
        self.told += [what for what in announced if isinstance(what, EphemeralEvents)]

    @property
    def events(self) -> list[tuple[str, int]]:
        events = [json.loads(body) for told in self.told for body in told.bodies]
        return [(one["user"], one["id"]) for one in events]

    async def mark_of(self, reader: int) -> int | None:
        """Where it really is."""
        return (await self.database.read(rooms.get, self.people[reader], self.number)).last_read_id


@pytest.fixture
async def room(database: Database) -> Room:
    """Ann has said ten things to twenty readers."""
    ann = await somebody(database, "ann")
    room = Room(database, await room_of(database, ann))
    for number in range(20):
        room.people.append(await somebody(database, f"reader {number:02}"))
        room.readers.append(await member_of(database, room.people[-1], room.number))
    await say(Ledger(database), await member_of(database, ann, room.number), *map(str, range(1, 11)))
    database.on_commit(room.hear)
    return room


@pytest.fixture
def commits(database: Database) -> list[object]:
    """The commits of this database, one by one."""
    found: list[object] = []
    event.listen(database.writer, "commit", found.append)
    return found


async def test_a_room_that_marks_a_message_is_one_commit_and_one_piece_of_news(
    database: Database, room: Room, commits: list[object]
) -> None:
    assert await read(Receipts(database), *((reader, 7) for reader in room.readers)) == [7] * 20
    assert len(commits) == len(room.told) == 1
    assert room.events == [(reader.username, 7) for reader in room.readers]
    assert [await room.mark_of(number) for number in range(20)] == [7] * 20


async def test_several_marks_of_one_reader_are_one_event_and_lead_to_the_highest(
    database: Database, room: Room
) -> None:
    ben, eve = room.readers[:2]
    assert await read(Receipts(database), (ben, 3), (ben, 9), (eve, 2), (ben, 5)) == [9, 9, 2, 9]
    assert sorted(room.events) == [(ben.username, 9), (eve.username, 2)]


async def test_a_mark_never_goes_back_and_never_beyond_the_last_message(
    database: Database, room: Room
) -> None:
    marks, ben = Receipts(database), room.readers[0]
    assert [(await read(marks, (ben, number)))[0] for number in (4, 2, 4, MAX_ID, 9)] == [4, 4, 4, 10, 10]
    assert room.events == [(ben.username, 4), (ben.username, 10)], "what does not move is not told"


async def test_who_is_no_member_is_told_so_and_keeps_nobody_from_marking(
    database: Database, room: Room
) -> None:
    nobody = Membership(room.number, 999_999, "nobody", may_moderate=False)
    nowhere = Membership(999_999, room.people[0].user_id, "nowhere", may_moderate=False)
    first, marked, last = await read(Receipts(database), (nobody, 1), (room.readers[0], 6), (nowhere, 1))
    assert marked == 6
    assert isinstance(first, RoomNotFound)
    assert isinstance(last, RoomNotFound)


async def test_messages_and_marks_of_two_nodes_never_wait_for_each_other_in_a_circle(
    settings: Settings, database: Database, room: Room
) -> None:
    """All the readers talk and read at once, each time in another order."""
    errors: list[object] = []
    async with other_node(settings) as other:
        for node in (database, other):
            event.listen(
                node.writer, "handle_error", lambda context: errors.append(context.original_exception)
            )
        await asyncio.gather(
            *(talks(node, room, step) for node, step in ((database, 7), (other, 13))),
            *(reads(node, room, step) for node, step in ((database, 3), (other, 11))),
        )
    assert not errors
    said = 10 + 2 * ROUNDS * 20
    assert max([await room.mark_of(number) or 0 for number in range(20)]) == said, (
        "who spoke last has read it all"
    )


async def talks(node: Database, room: Room, step: int) -> None:
    ledger = Ledger(node)
    for turn in range(ROUNDS):
        await asyncio.gather(*(say(ledger, reader, "hello") for reader in shuffled(room, step, turn)))


async def reads(node: Database, room: Room, step: int) -> None:
    """Everything there is, again and again; without a pause, so that they meet."""
    for turn in range(ROUNDS):
        everyone = shuffled(room, step, turn)
        marks = [Receipt(one.room_id, one.user_id, one.username, MAX_ID) for one in everyone]
        await node.write(move, marks)


def shuffled(room: Room, step: int, turn: int) -> list[Membership]:
    return [room.readers[(turn + step * number) % 20] for number in range(20)]
