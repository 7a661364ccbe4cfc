"""An old copy of a room and the events since make the new one: live, after `since`, and over REST."""

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
    "deletion of what has reactions": {"type": "message.delete", "id": 1},
    "first reaction": {"type": "reaction.add", "id": 2, "emoji": "🎉"},
    "one more of the same": {"type": "reaction.add", "id": 1, "emoji": "🎉"},
    "last reaction taken back": {"type": "reaction.remove", "id": 1, "emoji": "👍"},
    "reaction to what was edited": {"type": "reaction.add", "id": 4, "emoji": "👍"},
}


@pytest.fixture
async def lived_in(alice: Person, bob: Person, room: int) -> AsyncIterator[tuple[Seat, Seat]]:
    """A room with four messages, of which something has happened to two; Alice's seat and Bob's."""
    async with alice.enters(room) as hers, bob.enters(room) as his:
        for text in ("one", "two", "three", "four"):
            await hers.says(text)
        await hers.does("reaction.add", id=1, emoji="👍")
        await hers.does("message.edit", id=4, content="four, edited", ref="said")
        await hers.hears("ack", ref="said")
        await his.does("reaction.add", id=1, emoji="🎉", ref="said")
        await his.hears("ack", ref="said")
        await hers.hears("reaction", emoji="🎉")
        yield hers, his


async def follow(replica: Replica, seat: Seat, until: int) -> Replica:
    """The replica with what the seat hears, up to a number."""
    while replica.position < until:
        event = await seat.next()
        if event["type"] in DURABLE and event["seq"] > replica.position:
            replica.apply(event)
    return replica


@pytest.mark.parametrize("kind", CHANGES)
async def test_each_change_reaches_every_copy(
    kind: str, alice: Person, bob: Person, room: int, lived_in: tuple[Seat, Seat]
) -> None:
    hers, his = lived_in
    before = await snapshot(bob, room)
    await hers.does(**CHANGES[kind], ref="done")
    answer = await hers.hears("ack", ref="done")
    after = await snapshot(alice, room)
    assert answer["seq"] == before.position + 1 == after.position
    assert differences(before, after), "this changed nothing"
    await check_all_ways(before, after, his, bob, room)


async def test_a_new_member_reaches_every_copy(bob: Person, room: int, lived_in: tuple[Seat, Seat]) -> None:
    before = await snapshot(bob, room)
    carol = await sign_up(bob.server, f"carol of {room}")
    async with carol.enters(room):
        after = await snapshot(carol, room)
    await carol.http.aclose()
    assert after.members is not None
    assert after.members[carol.username] == "member"
    await check_all_ways(before, after, lived_in[1], bob, room)


async def check_all_ways(before: Replica, after: Replica, live: Seat, late: Person, room: int) -> None:
    """Live, coming back to one room, subscribing, over REST, and from the very beginning."""
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
