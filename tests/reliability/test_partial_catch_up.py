"""A catch-up may end anywhere, by a broken connection or at the end of a page: the client resumes from its position."""

import pytest

from tests.reliability.replica import DURABLE, Event, Replica, differences
from tests.reliability.snapshots import changes, snapshot
from tests.support.people import Person


@pytest.fixture
async def story(alice: Person, bob: Person, room: int) -> dict[int, Replica]:
    """Bob's copy at every number of a room that was changed in an awkward order."""
    commands: list[Event] = [
        *[{"type": "message", "content": text} for text in ("one", "two", "three", "four")],
        {"type": "reaction.add", "id": 2, "emoji": "👍"},
        {"type": "message.edit", "id": 1, "content": "one, edited"},
        *[{"type": "message", "content": text} for text in ("five", "six")],
        {"type": "message.edit", "id": 3, "content": "three, edited, soon deleted"},
        {"type": "message.delete", "id": 3},
        {"type": "reaction.remove", "id": 2, "emoji": "👍"},
        {"type": "message.edit", "id": 5, "content": "five, edited"},
        {"type": "message.edit", "id": 1, "content": "one, edited again"},
    ]
    replica, answer = Replica(), Event()
    states = {0: replica.copy()}
    async with bob.enters(room, since=0) as his, alice.enters(room) as hers:
        for command in commands:
            await hers.does(**command, ref="done")
            answer = await hers.hears("ack", ref="done")
        while replica.position < answer["seq"]:
            event = await his.next()
            if event["type"] in DURABLE:
                replica.apply(event)
                states[replica.position] = replica.copy()
    return states


@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_pages_of_any_size_lead_from_any_number_to_the_current_state(
    size: int, story: dict[int, Replica], bob: Person, room: int
) -> None:
    truth = await snapshot(bob, room)
    for since, state in story.items():
        replica, pages = state.copy(), 0
        while replica.position < truth.position:
            page = await changes(bob, room, replica.position, size)
            assert len(page["changes"]) <= size
            assert page["seq"] > replica.position
            assert page["truncated"] == (page["seq"] < truth.position)
            for event in page["changes"]:
                replica.apply(event)
            replica.position, pages = page["seq"], pages + 1
        assert not differences(replica, truth), f"from {since} in {pages} pages"


async def test_a_catch_up_that_is_cut_after_any_event_can_be_resumed(
    story: dict[int, Replica], bob: Person, room: int
) -> None:
    truth = await snapshot(bob, room)
    for since, state in story.items():
        events = (await changes(bob, room, since))["changes"]
        numbers = [event["seq"] for event in events]
        assert numbers == sorted(set(numbers)), "changes are not in the order of their numbers"
        for cut in range(len(events)):
            replica = state.copy()
            for event in events[:cut]:
                replica.apply(event)
            for event in (await changes(bob, room, replica.position))["changes"]:
                replica.apply(event)
            assert not differences(replica, truth), f"from {since}, cut after {cut} events"
