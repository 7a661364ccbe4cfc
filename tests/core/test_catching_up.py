"""Catching up with a room that goes on meanwhile, with a server that can be held at any point."""

import asyncio
from typing import Any

import pytest

from app.core.database import Database
from app.schemas import close_codes
from app.services import changes, messages, reactions
from app.services.callers import Caller
from app.websocket.catch_up import subscribe as listening
from app.websocket.catch_up.pages import Page
from app.websocket.connection.connection import TooSlow
from tests.core.joining import House, Taker
from tests.databases.people import member_of, room_of, say, user_named

PATIENCE = 10.0
"""Far less than what one page may take."""
PAGES = 3


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await user_named(database, "ann")


@pytest.fixture
async def room(database: Database, ann: Caller) -> int:
    return await room_of(database, ann)


class Trickle(Taker):
    """A way out to a peer that takes all pages but the last."""

    async def drained(self) -> None:
        if len(self.bodies) > (PAGES - 1) * changes.PAGE:
            await asyncio.get_running_loop().create_future()


async def test_who_takes_every_page_just_in_time_is_closed_all_the_same_and_the_room_keeps_nothing_for_it(
    database: Database, ann: Caller, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "CATCH_UP_SECONDS", 0.5)
    house, wire = House(database), Trickle()
    await say(house.ledger, await member_of(database, ann, room), *["what was missed"] * PAGES * changes.PAGE)
    connection = house.connect(ann, wire)
    async with asyncio.timeout(PATIENCE):
        start = await house.listening.attach(connection, room, since=0)
        with pytest.raises(TooSlow):
            await house.listening.begin(connection, start, synced=True)
    assert len(wire.bodies) > (PAGES - 1) * changes.PAGE
    assert wire.code == close_codes.TOO_SLOW.code
    assert start.subscription.channel.is_empty


async def test_what_happened_before_a_page_is_cut_and_again_after_it_is_not_lost(
    database: Database, ann: Caller, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page says of a message what became of it last: where it ends, an earlier change may be missing."""
    house, member = House(database), await member_of(database, ann, room)
    await say(house.ledger, member, *["said"] * 99)
    since = 100
    await say(house.ledger, member, *["said"] * 40)
    edited = await database.write(messages.edit, member, 7, "changed")
    await say(house.ledger, member, *["said"] * 50)
    other = await house.hear(
        ann, room
    )  # so the room knows where it stands, and keeps what comes for who joins
    next_page, gone_on = house.pages.next, False

    async def later(*where: Any) -> Page:
        """The page is read when the room has gone on over its end."""
        nonlocal gone_on
        if not gone_on:
            gone_on = True
            await say(house.ledger, member, *["said"] * 20)
            await database.write(reactions.add, member, 7, "🎉")
            await say(house.ledger, member, *["said"] * 3)
        return await next_page(*where)

    monkeypatch.setattr(house.pages, "next", later)
    wire = await house.hear(ann, room, since)
    heard = [event for event in wire.events if event.get("id") == 7]
    assert since < edited < 200 < other.events[-1]["seq"], "a page ends between the two changes"
    assert any("changed" in event.values() for event in heard), heard
    numbers = [event["seq"] for event in wire.events if event["type"] == "message" and event["seq"] > since]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("since", [None, 0, 37, 100, 250])
async def test_a_crowd_that_joins_while_others_talk_hears_everything_once(
    database: Database, ann: Caller, room: int, since: int | None
) -> None:
    house, member = House(database), await member_of(database, ann, room)
    await say(house.ledger, member, *["said"] * 260)
    talk = asyncio.create_task(say(house.ledger, member, *["meanwhile"] * 100))
    crowd = await asyncio.gather(*(house.hear(ann, room, since) for _ in range(20)))
    await talk
    await say(house.ledger, member, "the end")
    async with asyncio.timeout(PATIENCE):
        while not all(wire.events[-1].get("message") == "the end" for wire in crowd):
            await asyncio.sleep(0.01)
    for wire in crowd:
        numbers = [event["seq"] for event in wire.events if event["type"] != "synced"]
        first = numbers[0] if since is None else since + 1
        assert numbers == list(range(first, 363))
