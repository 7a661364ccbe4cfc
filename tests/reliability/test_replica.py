"""An old copy of a room and the events after it make the current one: live, after `since`, and over REST."""

from collections.abc import AsyncIterator

import pytest

from tests.reliability.replica import DURABLE, Event, Replica, differences
from tests.reliability.snapshots import changes, snapshot
from tests.support.people import Person, Seat, sign_up

CHANGES: dict[str, Event] = {
    "message": {"type": "message", "content": "something new", "client_id": "once"},
    "reply": {"type": "message", "content": "an answer", "reply_to": 2},
    "edit": {"type": "message.edit", "id": 2, "content": "better words"},
    "deletion": {"type": "message.delete", "id": 3},
    "deletion of a message with reactions": {"type": "message.delete", "id": 1},
    "first reaction": {"type": "reaction.add", "id": 2, "emoji": "🎉"},
    "second reaction with the same emoji": {"type": "reaction.add", "id": 1, "emoji": "🎉"},
    "removal of the last reaction": {"type": "reaction.remove", "id": 1, "emoji": "👍"},
    "reaction to an edited message": {"type": "reaction.add", "id": 4, "emoji": "👍"},
}


@pytest.fixture
async def seats(alice: Person, bob: Person, room: int) -> AsyncIterator[tuple[Seat, Seat]]:
    """The sockets of Alice and Bob in a room with four messages, one with reactions and one edited."""
    async with alice.enters(room) as hers, bob.enters(room) as his:
        for text in ("one", "two", "three", "four"):
            await hers.says(text)
        await hers.does("reaction.add", id=1, emoji="👍")
        await hers.does("message.edit", id=4, content="four, edited", ref="done")
        await hers.hears("ack", ref="done")
        await his.does("reaction.add", id=1, emoji="🎉", ref="done")
        await his.hears("ack", ref="done")
        await hers.hears("reaction", emoji="🎉")
        yield hers, his


async def follow(replica: Replica, seat: Seat, until: int) -> Replica:
    """Apply the events that the seat hears, up to a number."""
    while replica.position < until:
        event = await seat.next()
        if event["type"] in DURABLE and event["seq"] > replica.position:
            replica.apply(event)
    return replica


@pytest.mark.parametrize("kind", CHANGES)
async def test_each_change_reaches_every_copy(
    kind: str, alice: Person, bob: Person, room: int, seats: tuple[Seat, Seat]
) -> None:
    hers, his = seats
    before = await snapshot(bob, room)
    await hers.does(**CHANGES[kind], ref="done")
    answer = await hers.hears("ack", ref="done")
    after = await snapshot(alice, room)
    assert answer["seq"] == before.position + 1 == after.position
    assert differences(before, after), "the command changed nothing"
    await assert_every_way_leads_to(before, after, his, bob, room)


async def test_a_new_member_reaches_every_copy(bob: Person, room: int, seats: tuple[Seat, Seat]) -> None:
    before = await snapshot(bob, room)
    carol = await sign_up(bob.server, f"carol of {room}")
    async with carol.enters(room):
        after = await snapshot(carol, room)
    await carol.http.aclose()
    assert after.members is not None
    assert after.members[carol.username] == "member"
    await assert_every_way_leads_to(before, after, seats[1], bob, room)


async def assert_every_way_leads_to(
    before: Replica, after: Replica, live: Seat, late: Person, room: int
) -> None:
    """Live, on reconnecting to one room, on subscribing, over REST, and from an empty copy."""
    assert not differences(await follow(before.copy(), live, after.position), after), "live"
    async with late.enters(room, since=before.position) as seat:
        assert not differences(await follow(before.copy(), seat, after.position), after), "after ?since="
        assert (await seat.hears("synced"))["seq"] == after.position
    async with late.connects() as seat:
        await seat.does("subscribe", room_id=room, since=before.position)
        assert not differences(await follow(before.copy(), seat, after.position), after), "after subscribe"
    for start in (before, Replica()):
        replica, page = start.copy(), await changes(late, room, start.position)
        for event in page["changes"]:
            replica.apply(event)
        replica.position = page["seq"]
        assert not differences(replica, after), f"over REST since {start.position}"
