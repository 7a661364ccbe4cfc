"""Catching up with a room that goes on meanwhile, on parts that can be stopped at any point."""

import asyncio

import pytest

from app.core.database import Database
from app.schemas import close_codes
from app.services import changes, messages, reactions
from app.services.callers import Caller
from app.websocket.catch_up import subscribe
from app.websocket.catch_up.pages import Page
from app.websocket.catch_up.sending import TooSlow
from app.websocket.catch_up.subscribe import Since
from tests.databases.people import member_of, room_of, say, user_named
from tests.support.fakes import RecordingTransport, eventually
from tests.units.websocket.socket_stack import SocketStack

TIMEOUT = 10.0
"""Far less than what one page may take."""
PAGES = 3


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await user_named(database, "ann")


@pytest.fixture
async def room(database: Database, ann: Caller) -> int:
    return await room_of(database, ann)


async def test_a_listener_that_takes_each_page_in_time_but_all_too_late_is_closed_and_forgotten(
    database: Database, ann: Caller, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribe, "CATCH_UP_SECONDS", 0.5)
    stack, transport = SocketStack(database), RecordingTransport(stalls_after=(PAGES - 1) * changes.PAGE)
    await say(stack.ledger, await member_of(database, ann, room), *["missed"] * PAGES * changes.PAGE)
    connection = stack.connect(ann, transport)
    async with asyncio.timeout(TIMEOUT):
        prepared = await stack.subscriber.prepare(connection, room, since=Since(0, None))
        with pytest.raises(TooSlow):
            await stack.subscriber.go_live(connection, prepared, synced=True)
    assert len(transport.bodies) > (PAGES - 1) * changes.PAGE
    assert transport.close_code == close_codes.TOO_SLOW.code
    assert prepared.subscription.channel.is_empty


async def test_a_change_before_the_end_of_a_page_is_not_lost_to_one_after_it(
    database: Database, ann: Caller, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page has only the last change of a message: where it ends, an earlier change may be missing."""
    stack, member = SocketStack(database), await member_of(database, ann, room)
    await say(stack.ledger, member, *["said"] * 99)
    since = 100
    await say(stack.ledger, member, *["said"] * 40)
    edited = await database.write(messages.edit, member, 7, "changed")
    await say(stack.ledger, member, *["said"] * 50)
    other = await stack.subscribe(ann, room)  # so the channel has a head, and buffers for the next subscriber
    next_page, has_gone_on = stack.pages.next, False

    async def later(room_id: int, position: int) -> Page:
        """The page, read when the room has gone on past its end."""
        nonlocal has_gone_on
        if not has_gone_on:
            has_gone_on = True
            await say(stack.ledger, member, *["said"] * 20)
            await database.write(reactions.add, member, 7, "🎉")
            await say(stack.ledger, member, *["said"] * 3)
        return await next_page(room_id, position)

    monkeypatch.setattr(stack.pages, "next", later)
    transport = await stack.subscribe(ann, room, Since(since, None))
    of_seven = [event for event in transport.events if event.get("id") == 7]
    assert since < edited["changed_seq"] < 200 < other.events[-1]["seq"], (
        "a page ends between the two changes"
    )
    assert any("changed" in event.values() for event in of_seven), of_seven
    new = [event for event in transport.events if event["type"] == "message" and event["seq"] > since]
    numbers = [event["seq"] for event in new]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("since", [None, 0, 37, 100, 250])
async def test_a_crowd_that_subscribes_while_messages_are_sent_hears_each_event_once(
    database: Database, ann: Caller, room: int, since: int | None
) -> None:
    stack, member = SocketStack(database), await member_of(database, ann, room)
    await say(stack.ledger, member, *["said"] * 260)
    talk = asyncio.create_task(say(stack.ledger, member, *["meanwhile"] * 100))
    start = None if since is None else Since(since, None)
    crowd = await asyncio.gather(*(stack.subscribe(ann, room, start) for _ in range(20)))
    await talk
    await say(stack.ledger, member, "the end")
    await eventually(
        lambda: all(transport.events[-1].get("message") == "the end" for transport in crowd), TIMEOUT
    )
    for transport in crowd:
        numbers = [event["seq"] for event in transport.events if event["type"] != "synced"]
        first = numbers[0] if since is None else since + 1
        assert numbers == list(range(first, 363))
