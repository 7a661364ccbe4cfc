"""Another session has locked the row of a room, or of a member: whatever concerns other rooms goes on."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import create_engine, event, text

from app.core.config import Settings
from app.core.database import Database, DatabaseUnavailable, Deadlines, migrations
from app.schemas.messages import MessageDraft
from app.services import members, messages, reactions
from app.services.access import Membership
from app.services.announcements import DurableEvents
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.receipts import Receipts
from tests.databases.conftest import KINDS, new_database
from tests.databases.fault_deadlines import GRACE_SECONDS
from tests.databases.people import member_of, room_of, say, submit_receipts, user_named

DEADLINES = Deadlines(lock=1.0)
"""As long as MySQL's shortest."""
NOT_WAITING_SECONDS = 0.6
"""What a message takes on a busy machine if it waits for no lock."""


@dataclass
class House:
    """Two rooms, and one session that can lock rows."""

    url: str
    database: Database
    ledger: Ledger
    receipts: Receipts
    ann: Caller
    locked: Membership
    other: Membership

    @contextmanager
    def lock(self, table: str, where: str) -> Iterator[None]:
        engine = create_engine(Settings(database_url=self.url).url, isolation_level="READ COMMITTED")
        with engine.connect() as session:
            session.execute(text(f"SELECT * FROM {table} WHERE {where} FOR UPDATE"))
            yield
            session.rollback()
        engine.dispose()

    def lock_room(self) -> AbstractContextManager[None]:
        return self.lock("rooms", f"id = {self.locked.room_id}")


@pytest.fixture(params=[kind for kind in KINDS if kind.values != ("sqlite",)])
async def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    url = new_database(request.param, request, tmp_path_factory.mktemp("database"))
    database = Database(Settings(database_url=url).url, pool_size=5, deadlines=DEADLINES)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda connection: None)
    ann = await user_named(database, "ann")
    locked, other = [
        await member_of(database, ann, await room_of(database, ann, name)) for name in ("A", "B")
    ]
    ledger = Ledger(database)
    bob = await user_named(database, "bob")
    for member in (locked, other):
        await say(ledger, member, "first")
        await say(ledger, await member_of(database, bob, member.room_id), "not read by ann")
    yield House(url, database, ledger, Receipts(database), ann, locked, other)
    await asyncio.to_thread(database.close)


async def seconds(work: Awaitable[object]) -> float:
    began = time.monotonic()
    await work
    return time.monotonic() - began


async def test_messages_to_other_rooms_do_not_wait_for_a_locked_one(house: House) -> None:
    with house.lock_room():
        for _ in range(3):  # at every further attempt, too
            stuck = asyncio.create_task(say(house.ledger, house.locked, "stuck"))
            await asyncio.sleep(0)
            assert await seconds(say(house.ledger, house.other, "one", "two")) < NOT_WAITING_SECONDS
            assert not stuck.done()
            with pytest.raises(DatabaseUnavailable):
                await stuck
    assert (await say(house.ledger, house.locked, "free"))[0].message["id"] == 3


async def test_messages_that_waited_for_a_lock_keep_their_order_and_go_before_later_ones(
    house: House,
) -> None:
    published: list[object] = []
    house.database.on_commit(published.extend)
    with house.lock_room():
        waiting = [asyncio.create_task(say(house.ledger, house.locked, f"m{number}")) for number in range(5)]
        await say(house.ledger, house.other, "elsewhere")
    waiting += [asyncio.create_task(say(house.ledger, house.locked, f"m{number}")) for number in range(5, 9)]
    posted = [posts[0].message for posts in await asyncio.gather(*waiting)]
    assert [message["id"] for message in posted] == list(range(3, 12))
    events = [
        one for one in published if isinstance(one, DurableEvents) and one.room_id == house.locked.room_id
    ]
    assert [one.first_seq for one in events] == sorted(one.first_seq for one in events)
    assert sum(len(one.bodies) for one in events) == 9


async def test_a_room_that_was_locked_goes_with_the_others_again(house: House) -> None:
    with house.lock_room(), pytest.raises(DatabaseUnavailable):
        await say(house.ledger, house.locked, "stuck")
    await say(house.ledger, house.locked, "alone")
    commits: list[object] = []
    event.listen(house.database.writer, "commit", commits.append)
    await asyncio.gather(say(house.ledger, house.locked, "x"), say(house.ledger, house.other, "y"))
    assert len(commits) == 1


WORKS: dict[str, Callable[[House], Awaitable[object]]] = {
    "edit": lambda house: house.database.write_in_turn(
        house.locked.room_id, messages.edit, house.locked, 1, "edited"
    ),
    "reaction": lambda house: house.database.write_in_turn(
        house.locked.room_id, reactions.add, house.locked, 1, "👍"
    ),
    "join": lambda house: house.database.write_in_turn(
        house.locked.room_id, members.enter, house.ann, house.locked.room_id
    ),
    "message": lambda house: house.ledger.post(house.locked, MessageDraft(content="stuck")),
}


async def test_everything_about_a_locked_room_together_leaves_the_other_rooms_a_thread(house: House) -> None:
    with house.lock_room():
        waiting = [asyncio.ensure_future(work(house)) for work in list(WORKS.values()) * 5]
        await asyncio.sleep(0)
        end = time.monotonic() + 2 * DEADLINES.lock
        while time.monotonic() < end:
            edit = house.database.write_in_turn(house.other.room_id, messages.edit, house.other, 1, "hi")
            assert await seconds(say(house.ledger, house.other, "hi")) < NOT_WAITING_SECONDS
            assert await seconds(edit) < NOT_WAITING_SECONDS
        outcomes = await asyncio.wait_for(
            asyncio.gather(*waiting, return_exceptions=True), DEADLINES.answer + GRACE_SECONDS
        )
    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
async def test_a_lock_that_is_not_released_is_waited_for_once(
    house: House, work: Callable[[House], Awaitable[object]]
) -> None:
    opened: list[object] = []
    event.listen(house.database.writer.pool, "connect", lambda connection, _: opened.append(connection))
    with house.lock_room():
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await work(house)
        assert time.monotonic() - began < DEADLINES.lock + GRACE_SECONDS
    await work(house)
    assert len(opened) <= 2, "a connection that waited in vain is as good as before"


async def test_receipts_of_others_do_not_wait_for_a_locked_member(house: House) -> None:
    with house.lock("members", f"room_id = {house.locked.room_id}"):
        stuck = asyncio.create_task(submit_receipts(house.receipts, (house.locked, 2)))
        await asyncio.sleep(0)
        assert await seconds(submit_receipts(house.receipts, (house.other, 2))) < NOT_WAITING_SECONDS
        assert not stuck.done()
    assert await stuck == [2]


async def test_a_locked_member_stops_the_messages_of_its_room_only(house: House) -> None:
    with house.lock("members", f"room_id = {house.locked.room_id}"):
        both = asyncio.gather(
            say(house.ledger, house.locked, "stuck"),
            say(house.ledger, house.other, "hi"),
            return_exceptions=True,
        )
        stuck, posted = await asyncio.wait_for(both, DEADLINES.answer + GRACE_SECONDS)
        assert isinstance(stuck, DatabaseUnavailable)
        assert not isinstance(posted, BaseException), repr(posted.__cause__)
        again = asyncio.create_task(say(house.ledger, house.locked, "stuck"))
        await asyncio.sleep(0)
        assert await seconds(say(house.ledger, house.other, "no more delay")) < NOT_WAITING_SECONDS
        with pytest.raises(DatabaseUnavailable):
            await again
    await say(house.ledger, house.locked, "free")
