"""What is asked often asks the database little: a fixed number of statements, and pages by key."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from sqlalchemy import event, make_url, text

from app.core.database import Database, UnitOfWork, migrations
from app.models import Room
from app.services import changes, messages, rooms
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.receipts import Receipts
from tests.databases.people import member_of, read, room_of, say, somebody


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are run meanwhile."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    for engine in {database.reader, database.writer}:
        event.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in {database.reader, database.writer}:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await somebody(database, "ann")


async def fill(database: Database, who: Caller, rooms_of_hers: int) -> None:
    ledger = Ledger(database)
    for number in range(rooms_of_hers):
        room = await room_of(database, who, f"Room {number}")
        await say(ledger, await member_of(database, who, room), "hello", "again")
        member = await member_of(database, who, room)
        await database.write(messages.edit, member, 2, "changed")


async def test_listing_rooms_asks_the_same_number_of_questions_for_two_rooms_and_for_twenty(
    database: Database, ann: Caller
) -> None:
    counts = []
    for more in (2, 18):
        await fill(database, ann, more)
        with counted(database) as statements:
            found = await database.read(rooms.listing, ann)
        counts.append((len(found), len(statements)))
    assert counts == [(2, 2), (20, 2)], counts


async def test_a_batch_of_a_hundred_messages_takes_as_many_statements_as_one_message(
    database: Database, ann: Caller
) -> None:
    ledger, member = Ledger(database), await member_of(database, ann, await room_of(database, ann))
    counts = []
    for size in (1, 100):
        with counted(database) as statements:
            await database.write(lambda db: None)
            await say(ledger, member, *["hello"] * size)
        counts.append(len(statements))
    assert counts[1] <= counts[0] == 4, "lock the room, insert, count, mark as read"


async def test_the_marks_of_a_hundred_readers_take_as_many_statements_as_one(
    database: Database, ann: Caller
) -> None:
    room = await room_of(database, ann)
    people = [await somebody(database, f"reader {number}") for number in range(100)]
    readers = [await member_of(database, who, room) for who in people]
    await say(Ledger(database), await member_of(database, ann, room), "one", "two", "three")
    counts = []
    for size, number in ((1, 1), (100, 2), (100, 2)):
        with counted(database) as statements:
            await database.write(lambda db: None)
            await read(Receipts(database), *((reader, number) for reader in readers[:size]))
        counts.append(len(statements))
    assert counts == [3, 3, 1], (
        "where they stand, move, where they are now; and nothing where all has been read"
    )


async def test_every_page_in_either_direction_has_its_messages_and_no_others(
    database: Database, ann: Caller
) -> None:
    room = await room_of(database, ann)
    await say(Ledger(database), await member_of(database, ann, room), *map(str, range(1, 54)))

    async def page(before: int | None, after: int | None) -> list[int]:
        return [one["id"] for one in await database.read(messages.page, ann, room, before, after, 10)]

    forward, back = [await page(None, 0)], [await page(None, None)]
    while newer := await page(None, forward[-1][-1]):
        forward.append(newer)
    while older := await page(back[-1][0], None):
        back.append(older)
    assert [number for numbers in forward for number in numbers] == list(range(1, 54))
    assert [number for numbers in reversed(back) for number in numbers] == list(range(1, 54))
    assert {len(numbers) for numbers in forward[:-1] + back[:-1]} == {10}
    assert await page(40, 5) == list(range(6, 16)), "with both, from the older end"


async def test_a_page_deep_in_the_history_is_found_by_its_key(tmp_path: Path) -> None:
    """Nothing is counted off, nothing sorted: page 20,000 costs what the first one costs.

    On SQLite, whose planner says the same about a small table as about a large one.
    """
    database = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=1)
    migrations.upgrade(database.writer, lambda connection: None)
    ann = await somebody(database, "ann")
    room = await room_of(database, ann)
    with counted(database) as statements:
        await database.read(messages.page, ann, room, 1000, None, 10)
        await database.read(messages.page, ann, room, None, 1000, 10)
    pages = [statement for statement in statements if "FROM messages" in statement]
    assert len(pages) == 2
    for statement in pages:
        plan = await database.read(_plan, statement)
        assert any("SEARCH messages USING PRIMARY KEY (room_id=?" in step for step in plan), plan
        assert not any("SCAN" in step or "TEMP B-TREE" in step for step in plan), plan
    database.close()


async def test_catching_up_looks_for_new_messages_by_id_and_for_changed_ones_in_an_index_of_these(
    tmp_path: Path,
) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=1)
    migrations.upgrade(database.writer, lambda connection: None)
    ann = await somebody(database, "ann")
    room = await room_of(database, ann)
    await say(Ledger(database), await member_of(database, ann, room), "hello")
    with counted(database) as statements:
        await database.read(changes.since, room, 1, 10)
    plans = [
        await database.read(_plan, one) for one in statements if "JOIN users" in one and "messages" in one
    ]
    made, changed = [next(step for step in plan if "messages" in step) for plan in plans]
    assert "USING PRIMARY KEY (room_id=? AND id>?)" in made
    assert "USING INDEX ix_messages_changed (room_id=? AND changed_seq>? AND changed_seq<?)" in changed
    database.close()


async def test_a_page_of_changes_is_asked_for_with_statements_that_are_there(
    database: Database, ann: Caller
) -> None:
    """To make them anew cost more than to read a hundred events, and an answer over REST is ten such pages."""
    room = await room_of(database, ann)
    await say(Ledger(database), await member_of(database, ann, room), *["hello"] * 30)
    asked: list[list[object]] = []

    def note(_connection: object, statement: object, *_: object) -> None:
        asked[-1].append(statement)

    def pages(db: UnitOfWork) -> None:
        where = db.get_one(Room, room)
        event.listen(database.reader, "before_execute", note)
        for start in (0, 10, 20):
            asked.append([])
            changes.after(db, where, start, 10)
        event.remove(database.reader, "before_execute", note)

    await database.read(pages)
    known = {id(statement) for statement in asked[0]}
    assert len(known) >= 3
    assert all(id(statement) in known for more in asked[1:] for statement in more)


async def test_from_every_number_it_is_found_which_messages_are_new(database: Database, ann: Caller) -> None:
    """Whatever lies between them: people who joined, and messages that changed."""
    room = await room_of(database, ann)
    ledger, member = Ledger(database), await member_of(database, ann, room)
    for step in "mmjemjjjmmeeemjmmmmeejjjjm":
        if step == "m":
            await say(ledger, member, "hello")
        elif step == "j":
            await member_of(database, await somebody(database, f"guest{time.monotonic_ns()}"), room)
        else:
            await database.write(messages.edit, member, 1, str(time.monotonic_ns()))
    everything = await database.read(messages.page, ann, room, None, 0, 200)
    for start in range(everything[-1]["seq"] + 2):
        found = [orjson.loads(body) for body in (await database.read(changes.since, room, start, 200)).bodies]
        new = [event["id"] for event in found if event["type"] == "message"]
        assert new == [message["id"] for message in everything if message["seq"] > start], start


def _plan(db: UnitOfWork, statement: str) -> list[str]:
    filled = statement.replace("?", "1")
    return [row[3] for row in db.execute(text(f"EXPLAIN QUERY PLAN {filled}"))]
