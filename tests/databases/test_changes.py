"""Catch-up over REST: responses of any size together contain all changes."""

from itertools import pairwise

import pytest

from app.core.database import Database
from app.services import changes, messages, reactions
from app.services.callers import Caller
from app.services.changes import Changes
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, user_named

MESSAGES = 12


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await user_named(database, "ann")


@pytest.fixture
async def room(database: Database, ann: Caller) -> int:
    """A room with every kind of change: early messages are edited or deleted late."""
    number = await room_of(database, ann)
    owner, ledger = await member_of(database, ann, number), Ledger(database)
    await say(ledger, owner, *(f"{length} " * length for length in range(1, MESSAGES + 1)))
    for name in ("bob", "carol"):
        guest = await member_of(database, await user_named(database, name), number)
        await say(ledger, guest, f"I am {name}")
        await database.write(reactions.add, guest, 2, "👍")
    for message_id in (9, 1, 5):
        await database.write(messages.edit, owner, message_id, f"changed {message_id}")
    for message_id in (3, 10, 4, 2):
        await database.write(messages.delete, owner, message_id)
    return number


async def all_pages(database: Database, caller: Caller, room: int, limit: int = 1000) -> list[Changes]:
    """The responses that a client gets when it follows `seq` until nothing is truncated."""
    pages = [await database.read(changes.visible_since, caller, room, 0, limit, None)]
    while pages[-1].truncated:
        pages.append(await database.read(changes.visible_since, caller, room, pages[-1].seq, limit, None))
    return pages


def bodies(pages: list[Changes]) -> list[bytes]:
    return [body for page in pages for body in page.bodies]


@pytest.mark.parametrize("page_size", [1, 3, 100])
@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
async def test_pages_of_any_size_together_contain_every_change(
    database: Database, ann: Caller, room: int, page_size: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await database.read(changes.since, room, 0, 1000)
    monkeypatch.setattr(changes, "PAGE", page_size)
    pages = await all_pages(database, ann, room, limit)
    assert bodies(pages) == whole.bodies
    assert all(len(page.bodies) <= limit for page in pages)
    assert all(page.seq < next_page.seq for page, next_page in pairwise(pages))
    assert pages[-1].seq == whole.seq


@pytest.mark.parametrize("max_bytes", [1, 150, 400, 1500])
async def test_a_page_holds_as_many_events_as_fit_into_its_limit(
    database: Database, ann: Caller, room: int, max_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page always holds at least one event: otherwise a client could never get past a large one."""
    whole = await database.read(changes.since, room, 0, 1000)
    monkeypatch.setattr(changes, "ANSWER_BYTES", max_bytes)
    monkeypatch.setattr(changes, "PAGE", 4)
    pages = await all_pages(database, ann, room)
    assert bodies(pages) == whole.bodies
    for page, next_page in pairwise(pages):
        size = sum(map(len, page.bodies))
        assert size <= max_bytes or len(page.bodies) == 1
        assert size + len(next_page.bodies[0]) > max_bytes


async def test_a_client_whose_position_is_ahead_of_the_room_is_told_to_start_over(
    database: Database, ann: Caller, room: int
) -> None:
    """As after a backup was restored."""
    head = (await database.read(changes.since, room, 0, 1000)).seq
    found = await database.read(changes.visible_since, ann, room, head + 5, 1000, None)
    assert found == Changes([], [], 0, True, found.epoch), (
        "a client that asks again from there gets everything"
    )
