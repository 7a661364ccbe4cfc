"""Frequent operations run a fixed number of statements, and pages are found by key."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from sqlalchemy import event, make_url, text

from app.core.database import Database, UnitOfWork, migrations
from app.services import changes, messages, rooms
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.receipts import Receipts
from tests.databases.people import member_of, room_of, say, submit_receipts, user_named


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that run inside the block."""
    statements: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    for engine in {database.reader, database.writer}:
        event.listen(engine, "before_cursor_execute", record)
    yield statements
    for engine in {database.reader, database.writer}:
        event.remove(engine, "before_cursor_execute", record)


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await user_named(database, "ann")


async def create_rooms(database: Database, owner: Caller, count: int) -> None:
    """Rooms with two messages each, one of them edited."""
    ledger = Ledger(database)
    for number in range(count):
        room = await room_of(database, owner, f"Room {number}")
        await say(ledger, await member_of(database, owner, room), "hello", "again")
        member = await member_of(database, owner, room)
        await database.write(messages.edit, member, 2, "changed")


async def test_listing_twenty_rooms_runs_as_many_statements_as_listing_two(
    database: Database, ann: Caller
) -> None:
    counts = []
    for more in (2, 18):
        await create_rooms(database, ann, more)
        with counted(database) as statements:
            found = await database.read(rooms.listing, ann)
        counts.append((len(found.bodies), len(statements)))
    assert counts == [(2, 1), (20, 1)], counts


async def test_a_batch_of_a_hundred_messages_runs_as_many_statements_as_one_message(
    database: Database, ann: Caller
) -> None:
    ledger, member = Ledger(database), await member_of(database, ann, await room_of(database, ann))
    counts = []
    for size in (1, 100):
        with counted(database) as statements:
            await database.write(lambda db: None)
            await say(ledger, member, *["hello"] * size)
        counts.append(len(statements))
    assert counts[1] <= counts[0] == 4, (
        "expected: lock the room, insert, update the room, update the sender's read position"
    )


async def test_receipts_of_a_hundred_readers_run_as_many_statements_as_one(
    database: Database, ann: Caller
) -> None:
    room = await room_of(database, ann)
    callers = [await user_named(database, f"reader {number}") for number in range(100)]
    readers = [await member_of(database, caller, room) for caller in callers]
    await say(Ledger(database), await member_of(database, ann, room), "one", "two", "three")
    counts = []
    for size, number in ((1, 1), (100, 2), (100, 2)):
        with counted(database) as statements:
            await database.write(lambda db: None)
            await submit_receipts(Receipts(database), *((reader, number) for reader in readers[:size]))
        counts.append(len(statements))
    assert counts == [3, 3, 1], (
        "expected: read positions, update, read again; only the first if nothing moves"
    )


async def test_pages_in_both_directions_contain_each_message_once(database: Database, ann: Caller) -> None:
    room = await room_of(database, ann)
    await say(Ledger(database), await member_of(database, ann, room), *map(str, range(1, 54)))

    async def page(before: int | None, after: int | None) -> list[int]:
        return [one["id"] for one in (await database.read(messages.page, ann, room, before, after, 10))[1]]

    forward, backward = [await page(None, 0)], [await page(None, None)]
    while newer := await page(None, forward[-1][-1]):
        forward.append(newer)
    while older := await page(backward[-1][0], None):
        backward.append(older)
    assert [number for numbers in forward for number in numbers] == list(range(1, 54))
    assert [number for numbers in reversed(backward) for number in numbers] == list(range(1, 54))
    assert {len(numbers) for numbers in forward[:-1] + backward[:-1]} == {10}
    assert await page(40, 5) == list(range(6, 16)), "with both bounds, a page starts at the older one"


async def test_a_page_deep_in_the_history_is_found_by_key(tmp_path: Path) -> None:
    """No OFFSET, no sort: page 20,000 costs as much as the first one.

    Checked on SQLite, whose planner chooses the same plan for a small table as for a large one.
    """
    database = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=1)
    migrations.upgrade(database.writer, lambda connection: None)
    ann = await user_named(database, "ann")
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


async def test_catch_up_finds_new_messages_by_primary_key_and_changed_ones_by_their_index(
    tmp_path: Path,
) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=1)
    migrations.upgrade(database.writer, lambda connection: None)
    ann = await user_named(database, "ann")
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


async def test_a_list_of_rooms_finds_deleted_and_last_messages_by_their_keys(tmp_path: Path) -> None:
    """However many messages are unread, none of them is looked at."""
    database = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=1)
    migrations.upgrade(database.writer, lambda connection: None)
    ann = await user_named(database, "ann")
    with counted(database) as statements:
        await database.read(rooms.listing, ann)
    [listing] = [one for one in statements if "deleted_messages" in one]
    plan = await database.read(_plan, listing)
    assert any("deleted_messages USING PRIMARY KEY (room_id=? AND id>?)" in step for step in plan), plan
    assert any(" messages USING PRIMARY KEY (room_id=? AND id=?)" in step for step in plan), plan
    database.close()


async def test_pages_of_changes_reuse_prepared_statements(database: Database, ann: Caller) -> None:
    """Building them anew took longer than reading a hundred events, and a REST response may take ten pages."""
    room = await room_of(database, ann)
    await say(Ledger(database), await member_of(database, ann, room), *["hello"] * 30)
    executed: list[list[object]] = []

    def record(_connection: object, statement: object, *_: object) -> None:
        executed[-1].append(statement)

    def read_pages(db: UnitOfWork) -> None:
        event.listen(database.reader, "before_execute", record)
        for start in (0, 10, 20):
            executed.append([])
            changes.since(db, room, start, 10)
        event.remove(database.reader, "before_execute", record)

    await database.read(read_pages)
    known = {id(statement) for statement in executed[0]}
    assert len(known) >= 3
    assert all(id(statement) in known for page in executed[1:] for statement in page)


async def test_changes_since_any_number_contain_exactly_the_messages_after_it(
    database: Database, ann: Caller
) -> None:
    """Also with joins and edits between the messages."""
    room = await room_of(database, ann)
    ledger, member = Ledger(database), await member_of(database, ann, room)
    for step in "mmjemjjjmmeeemjmmmmeejjjjm":
        if step == "m":
            await say(ledger, member, "hello")
        elif step == "j":
            await member_of(database, await user_named(database, f"guest{time.monotonic_ns()}"), room)
        else:
            await database.write(messages.edit, member, 1, str(time.monotonic_ns()))
    everything = (await database.read(messages.page, ann, room, None, 0, 200))[1]
    for start in range(everything[-1]["seq"] + 2):
        found = [orjson.loads(body) for body in (await database.read(changes.since, room, start, 200)).bodies]
        new = [event["id"] for event in found if event["type"] == "message"]
        assert new == [message["id"] for message in everything if message["seq"] > start], start


def _plan(db: UnitOfWork, statement: str) -> list[str]:
    filled = statement.replace("?", "1")
    return [row[3] for row in db.execute(text(f"EXPLAIN QUERY PLAN {filled}"))]
