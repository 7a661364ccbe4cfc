"""Catching up over a socket: what a crowd asks for is read once, and is as true as if it had been read for each."""

import asyncio

import orjson
import pytest

from app.core.database import Database, DatabaseUnavailable
from app.services import changes, messages
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.websocket.catch_up.pages import Page, Pages
from tests.databases.people import member_of, room_of, say, somebody
from tests.databases.test_queries import counted

COUNT = 250


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await somebody(database, "ann")


@pytest.fixture
async def room(database: Database, ann: Caller) -> int:
    """Her joining is number 1, and message `n` is number `n + 1`."""
    number = await room_of(database, ann)
    await say(Ledger(database), await member_of(database, ann, number), *map(str, range(1, COUNT + 1)))
    return number


def bodies(page: Page) -> list[bytes]:
    return [body for portion in page.portions for body in portion.bodies]


def ids(page: Page) -> list[int]:
    return [message["id"] for body in bodies(page) if (message := orjson.loads(body))["type"] == "message"]


async def all_after(found: Pages, room: int, position: int, head: int) -> list[Page]:
    way = [await found.next(room, position)]
    while way[-1].seq < head:
        way.append(await found.next(room, way[-1].seq))
    return way


@pytest.mark.parametrize("since", [0, 1, 37, 100, 199, 200, 250])
async def test_pages_together_are_all_that_was_missed(database: Database, room: int, since: int) -> None:
    whole = await database.read(changes.since, room, since, 1000)
    way = await all_after(Pages(database, 1000), room, since, COUNT + 1)
    assert [body for page in way for body in bodies(page)] == whole.bodies
    assert all(page.seq % changes.PAGE == 0 for page in way[:-1]), "where others end too"


async def test_what_a_crowd_asks_for_at_once_is_read_once(database: Database, room: int) -> None:
    found = Pages(database, 1000)
    with counted(database) as alone:
        await Pages(database, 1000).next(room, 30)
    with counted(database) as together:
        answers = await asyncio.gather(*(found.next(room, 30) for _ in range(50)))
    assert len(together) == len(alone)
    assert all(answer is answers[0] for answer in answers)


async def test_who_asks_while_a_page_is_read_shares_a_later_read(
    database: Database, ann: Caller, room: int
) -> None:
    """The end of the room, which may have become longer since that began."""
    found, member = Pages(database, 1000), await member_of(database, ann, room)
    first = asyncio.create_task(found.next(room, COUNT))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # it is on its way to the database
    await say(Ledger(database), member, "later")
    second, third = await asyncio.gather(found.next(room, COUNT), found.next(room, COUNT))
    assert second is third
    assert ids(second) == [COUNT, COUNT + 1]
    assert ids(await first)[0] == COUNT


async def test_a_full_page_is_kept_until_a_message_of_the_room_is_changed(
    database: Database, ann: Caller, room: int
) -> None:
    found, member = Pages(database, 1000), await member_of(database, ann, room)
    before = await found.next(room, 0)
    await say(Ledger(database), member, "one more changes nothing about what was")
    assert await found.next(room, 0) is before
    await database.write(messages.delete, member, 7)
    after = await found.next(room, 0)
    assert after is not before
    assert 7 in ids(before)
    assert 7 not in ids(after), "it must not be told any more"
    assert await found.next(room, 0) is after


async def test_the_last_page_is_read_anew(database: Database, ann: Caller, room: int) -> None:
    found, member = Pages(database, 1000), await member_of(database, ann, room)
    assert ids(await found.next(room, 200))[-1] == COUNT
    await say(Ledger(database), member, "news")
    assert ids(await found.next(room, 200))[-1] == COUNT + 1


async def test_too_much_is_counted_in_changes_not_in_numbers(
    database: Database, ann: Caller, room: int
) -> None:
    found, member = Pages(database, 10), await member_of(database, ann, room)
    for time in range(20):
        await database.write(messages.edit, member, COUNT, f"changed {time}")
    head = COUNT + 1 + 20
    assert await found.first(room, 0, head) is None
    page = await found.first(room, COUNT + 1, head)
    assert page is not None, "twenty changes of one message are one"
    assert (len(bodies(page)), page.seq) == (1, head)
    few = await found.first(room, head - 5, head)
    assert few is not None
    assert len(bodies(few)) == 1


async def test_who_gives_up_takes_the_page_from_nobody(database: Database, room: int) -> None:
    found = Pages(database, 1000)
    tasks = [asyncio.create_task(found.next(room, 0)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1] is answers[2]
    assert isinstance(answers[1], Page)


async def test_everybody_hears_that_the_database_is_away_and_may_ask_again(
    database: Database, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Pages(database, 1000)

    def fail(*_args: object) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(changes, "missed", fail)
        answers = await asyncio.gather(*(found.next(room, 0) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, DatabaseUnavailable) for answer in answers)
    assert ids(await found.next(room, 0))
