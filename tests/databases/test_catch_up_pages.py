"""Catch-up over a socket: concurrent requests share one read, and get what a read of their own would return."""

import asyncio

import orjson
import pytest

from app.core.database import Database, DatabaseUnavailable
from app.services import changes, messages
from app.services.callers import Caller
from app.services.epochs import CurrentEpoch
from app.services.ledger import Ledger
from app.websocket.catch_up.pages import Page, Pages
from tests.databases.people import member_of, room_of, say, user_named
from tests.databases.test_queries import counted

COUNT = 250


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await user_named(database, "ann")


@pytest.fixture
async def room(database: Database, ann: Caller) -> int:
    """Ann's join has number 1, and message `n` has number `n + 1`."""
    number = await room_of(database, ann)
    await say(Ledger(database), await member_of(database, ann, number), *map(str, range(1, COUNT + 1)))
    return number


def bodies(page: Page) -> list[bytes]:
    return [body for payload in page.portions for body in payload.bodies]


def ids(page: Page) -> list[int]:
    return [message["id"] for body in bodies(page) if (message := orjson.loads(body))["type"] == "message"]


async def all_after(pages: Pages, room: int, position: int, head: int) -> list[Page]:
    found = [await pages.next(room, position)]
    while found[-1].seq < head:
        found.append(await pages.next(room, found[-1].seq))
    return found


@pytest.mark.parametrize("since", [0, 1, 37, 100, 199, 200, 250])
async def test_pages_together_contain_every_missed_event(database: Database, room: int, since: int) -> None:
    whole = await database.read(changes.since, room, since, 1000)
    found = await all_after(Pages(database, 1000, CurrentEpoch(database)), room, since, COUNT + 1)
    assert [body for page in found for body in bodies(page)] == whole.bodies
    assert all(page.seq % changes.PAGE == 0 for page in found[:-1]), (
        "a page does not end where the pages of other clients end"
    )


async def test_fifty_concurrent_requests_for_one_page_share_one_read(database: Database, room: int) -> None:
    pages = Pages(database, 1000, CurrentEpoch(database))
    with counted(database) as alone:
        await Pages(database, 1000, CurrentEpoch(database)).next(room, 30)
    with counted(database) as together:
        answers = await asyncio.gather(*(pages.next(room, 30) for _ in range(50)))
    assert len(together) == len(alone)
    assert all(answer is answers[0] for answer in answers)


async def test_requests_that_arrive_during_a_read_of_the_last_page_share_a_later_read(
    database: Database, ann: Caller, room: int
) -> None:
    """The running read may have started before the newest message was committed."""
    pages, member = Pages(database, 1000, CurrentEpoch(database)), await member_of(database, ann, room)
    first = asyncio.create_task(pages.next(room, COUNT))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the first read has been submitted to the database
    await say(Ledger(database), member, "later")
    second, third = await asyncio.gather(pages.next(room, COUNT), pages.next(room, COUNT))
    assert second is third
    assert ids(second) == [COUNT, COUNT + 1]
    assert ids(await first)[0] == COUNT


async def test_a_full_page_is_cached_until_a_message_of_the_room_is_changed(
    database: Database, ann: Caller, room: int
) -> None:
    pages, member = Pages(database, 1000, CurrentEpoch(database)), await member_of(database, ann, room)
    before = await pages.next(room, 0)
    await say(Ledger(database), member, "a new message leaves full pages unchanged")
    assert await pages.next(room, 0) is before
    await database.write(messages.delete, member, 7)
    after = await pages.next(room, 0)
    assert after is not before
    assert 7 in ids(before)
    assert 7 not in ids(after), "a deleted message is still sent"
    assert await pages.next(room, 0) is after


async def test_the_last_page_of_a_room_is_not_cached(database: Database, ann: Caller, room: int) -> None:
    pages, member = Pages(database, 1000, CurrentEpoch(database)), await member_of(database, ann, room)
    assert ids(await pages.next(room, 200))[-1] == COUNT
    await say(Ledger(database), member, "news")
    assert ids(await pages.next(room, 200))[-1] == COUNT + 1


async def test_the_catch_up_limit_counts_events_and_not_numbers(
    database: Database, ann: Caller, room: int
) -> None:
    pages, member = Pages(database, 10, CurrentEpoch(database)), await member_of(database, ann, room)
    for time in range(20):
        await database.write(messages.edit, member, COUNT, f"changed {time}")
    head = COUNT + 1 + 20
    assert await pages.first(room, 0, head) is None
    page = await pages.first(room, COUNT + 1, head)
    assert page is not None, "twenty edits of one message must count as one event"
    assert (len(bodies(page)), page.seq) == (1, head)
    few = await pages.first(room, head - 5, head)
    assert few is not None
    assert len(bodies(few)) == 1


async def test_a_cancelled_request_does_not_cancel_the_read_that_others_share(
    database: Database, room: int
) -> None:
    pages = Pages(database, 1000, CurrentEpoch(database))
    tasks = [asyncio.create_task(pages.next(room, 0)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1] is answers[2]
    assert isinstance(answers[1], Page)


async def test_every_request_that_shares_a_failed_read_gets_its_error_and_can_retry(
    database: Database, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = Pages(database, 1000, CurrentEpoch(database))

    def fail(*_args: object) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(changes, "missed", fail)
        answers = await asyncio.gather(*(pages.next(room, 0) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, DatabaseUnavailable) for answer in answers)
    assert ids(await pages.next(room, 0))
