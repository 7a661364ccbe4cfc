"""Read receipts on each database: many per commit, never backwards, never past the last message, no deadlocks."""

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
from tests.databases.people import member_of, room_of, say, submit_receipts, user_named
from tests.databases.test_order import other_node

ROUNDS = 40


class Room:
    """A room with an owner and readers, and the receipt events announced in it."""

    def __init__(self, database: Database, number: int) -> None:
        self.database = database
        self.number = number
        self.callers: list[Caller] = []
        self.readers: list[Membership] = []
        self.announced: list[EphemeralEvents] = []

    def record(self, announcements: list[Any]) -> None:
        self.announced += [one for one in announcements if isinstance(one, EphemeralEvents)]

    @property
    def events(self) -> list[tuple[str, int]]:
        """User and message id of each receipt event."""
        events = [json.loads(body) for announcement in self.announced for body in announcement.bodies]
        return [(event["user"], event["id"]) for event in events]

    async def read_position(self, reader: int) -> int | None:
        """The last message id that this reader has read, as stored."""
        return (await self.database.read(rooms.get, self.callers[reader], self.number)).last_read_id


@pytest.fixture
async def room(database: Database) -> Room:
    """Ann has sent ten messages to twenty readers."""
    ann = await user_named(database, "ann")
    room = Room(database, await room_of(database, ann))
    for number in range(20):
        room.callers.append(await user_named(database, f"reader {number:02}"))
        room.readers.append(await member_of(database, room.callers[-1], room.number))
    await say(Ledger(database), await member_of(database, ann, room.number), *map(str, range(1, 11)))
    database.on_commit(room.record)
    return room


@pytest.fixture
def commits(database: Database) -> list[object]:
    """One entry for each commit of this database."""
    found: list[object] = []
    event.listen(database.writer, "commit", found.append)
    return found


async def test_receipts_of_a_whole_room_take_one_commit_and_one_announcement(
    database: Database, room: Room, commits: list[object]
) -> None:
    assert await submit_receipts(Receipts(database), *((reader, 7) for reader in room.readers)) == [7] * 20
    assert len(commits) == len(room.announced) == 1
    assert room.events == [(reader.username, 7) for reader in room.readers]
    assert [await room.read_position(number) for number in range(20)] == [7] * 20


async def test_several_receipts_of_one_reader_become_one_event_with_the_highest_id(
    database: Database, room: Room
) -> None:
    ben, eve = room.readers[:2]
    answers = await submit_receipts(Receipts(database), (ben, 3), (ben, 9), (eve, 2), (ben, 5))
    assert answers == [9, 9, 2, 9]
    assert sorted(room.events) == [(ben.username, 9), (eve.username, 2)]


async def test_a_read_position_never_moves_back_or_past_the_last_message(
    database: Database, room: Room
) -> None:
    receipts, ben = Receipts(database), room.readers[0]
    answers = [(await submit_receipts(receipts, (ben, number)))[0] for number in (4, 2, 4, MAX_ID, 9)]
    assert answers == [4, 4, 4, 10, 10]
    assert room.events == [(ben.username, 4), (ben.username, 10)], (
        "a receipt that moved nothing was announced"
    )


async def test_a_receipt_of_a_user_who_is_not_a_member_fails_alone(database: Database, room: Room) -> None:
    missing_user = Membership(room.number, 999_999, "missing", may_moderate=False)
    missing_room = Membership(999_999, room.callers[0].user_id, "missing room", may_moderate=False)
    first, position, last = await submit_receipts(
        Receipts(database), (missing_user, 1), (room.readers[0], 6), (missing_room, 1)
    )
    assert position == 6
    assert isinstance(first, RoomNotFound)
    assert isinstance(last, RoomNotFound)


async def test_messages_and_receipts_of_two_nodes_never_deadlock(
    settings: Settings, database: Database, room: Room
) -> None:
    """All readers send messages and receipts at once, each time in a different order."""
    errors: list[object] = []
    async with other_node(settings) as other:
        for node in (database, other):
            event.listen(
                node.writer, "handle_error", lambda context: errors.append(context.original_exception)
            )
        await asyncio.gather(
            *(send_messages(node, room, step) for node, step in ((database, 7), (other, 13))),
            *(send_receipts(node, room, step) for node, step in ((database, 3), (other, 11))),
        )
    assert not errors
    sent = 10 + 2 * ROUNDS * 20
    assert max([await room.read_position(number) or 0 for number in range(20)]) == sent, (
        "the sender of the last message has not read all messages"
    )


async def send_messages(node: Database, room: Room, step: int) -> None:
    ledger = Ledger(node)
    for turn in range(ROUNDS):
        await asyncio.gather(*(say(ledger, reader, "hello") for reader in shuffled(room, step, turn)))


async def send_receipts(node: Database, room: Room, step: int) -> None:
    """Mark all messages as read again and again, without a pause, so that the nodes' transactions collide."""
    for turn in range(ROUNDS):
        readers = shuffled(room, step, turn)
        receipts = [Receipt(one.room_id, one.user_id, one.username, MAX_ID) for one in readers]
        await node.write(move, receipts)


def shuffled(room: Room, step: int, turn: int) -> list[Membership]:
    return [room.readers[(turn + step * number) % 20] for number in range(20)]
