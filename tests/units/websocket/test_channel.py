"""The heart: every listener of a room hears every number once, in order, without a hole. And this test would notice."""

import random
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.websocket.hub import channel
from tests.units.websocket.channel_model import MEMBER, ROOM, Ear, World

SOURCE = channel.__spec__.loader.get_source(channel.__name__)  # type: ignore[union-attr]
STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 11)), max_size=60)
ROOM_FOR = 3
"""Events that wait for a listener here, so that it is often too many."""
WEIGHT_FOR = 7
"""Bytes of them: two frames of a number with one digit."""
LONG = bytes(1 << 20)
STORIES = 3000
"""In which a planted fault must show itself; most need fewer than a hundred."""

FAULTS = {
    "an early event does not wait": ("if first > self.head + 1:", "if False:"),
    "what was delivered before is delivered again": ("bodies[self.head + 1 - first :]", "bodies"),
    "who is catching up misses what happens": ("subscription.take(span, seqs, payload)", "pass"),
    "who catches up hears what it has": ("known = bisect_right(seqs, self.position)", "known = 0"),
    "what waited is forgotten": ("for events in waiting:", "for events in ():"),
    "what waited comes in the wrong order": ("for events in waiting:", "for events in reversed(waiting):"),
    "who is behind counts as live": ("if known.position == self.head]", "if known.position is not None]"),
    "who takes frames hears nothing": ("self._writes[subscription] = write", "pass"),
    "who takes no frames hears nothing": ("self._slow_ways[subscription] = listener", "pass"),
    "of what was too much a part is kept": ("self._waiting.clear()", "self._waiting.pop()"),
    "who was too slow goes live with a hole": ("return first <= position + 1", "return True"),
    "who was too slow misses what was told last": ("else head + 1", "else 0"),
    "who is slow takes everybody back": (
        "reached = subscription.caught_up(position)",
        "self.head = reached = subscription.caught_up(position)",
    ),
    "a repair repeats what came meanwhile": ("bisect_right(seqs, self.head)", "0"),
    "a repair turns back": (
        "if self.head is not None and position > self.head:",
        "if self.head is not None:",
    ),
    "a repair leaves the early waiting": (
        "seqs[known:], bodies[known:])\n            self._deliver_early()",
        "seqs, bodies)",
    ),
    "a gap goes unnoticed": ("self.known = max(self.known, first + len(bodies) - 1)", "pass"),
    "what a joiner knows is not known": ("self.known = max(self.known, position)", "pass"),
}


@given(STEPS, st.integers(0, 2))
@settings(max_examples=1000, deadline=None, database=None)
def test_everyone_hears_every_number_once_in_order_without_a_hole(
    steps: list[tuple[int, int]], room: int
) -> None:
    tell(World((channel, LITTLE_ROOM, CARRIES_LITTLE)[room]), steps)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=50))
@settings(deadline=None)
def test_what_waits_for_a_listener_is_bounded(sizes: list[int]) -> None:
    room, ear = LITTLE_ROOM.Channel(ROOM), Ear(takes_frames=False)
    room.go_live(room.attach(Ear(takes_frames=True)), MEMBER, 0)
    slow = room.attach(ear)
    for size in sizes:
        room.offer(room.head + 1, [b"%d" % (room.head + 1 + number) for number in range(size)])
        assert sum(len(events.bodies) for _, _, events in slow._waiting) <= ROOM_FOR


@given(st.lists(st.integers(1, 10), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_what_waits_for_a_listener_is_bounded_in_bytes_as_well(sizes: list[int]) -> None:
    room = channel.Channel(ROOM)
    slow = room.attach(Ear(takes_frames=False))
    room.stands_at(0)
    for size in sizes:
        room.offer((room.head or 0) + 1, [LONG] * size)
        assert sum(len(events.frames) for _, _, events in slow._waiting) <= channel.CACHE_BYTES
    too_much = sum(sizes) * (len(LONG) + 10) > channel.CACHE_BYTES
    assert slow.reaches(0) is not too_much
    assert slow.reaches(room.head or 0)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str) -> None:
    module = faulty(*FAULTS[fault])
    with pytest.raises((AssertionError, TypeError)):
        tell_many(module)


def tell_many(module: types.ModuleType) -> None:
    for seed in range(STORIES):
        chance = random.Random(seed)
        tell(World(module), [(chance.randrange(10), chance.randrange(12)) for _ in range(60)])


def tell(world: World, steps: list[tuple[int, int]]) -> None:
    for kind, choice in steps:
        world.step(kind, choice)
    world.finish()


def faulty(old: str, new: str) -> types.ModuleType:
    """The module with one line changed, and with little room for what waits."""
    assert SOURCE is not None
    source = SOURCE
    for line, other in ((old, new), ("KEPT = 20_000", f"KEPT = {ROOM_FOR}")):
        assert source.count(line) == 1, f"the source has changed: {line}"
        source = source.replace(line, other)
    module = types.ModuleType("faulty_channel")
    exec(compile(source, "faulty_channel.py", "exec"), module.__dict__)
    return module


LITTLE_ROOM = faulty("class Channel:", "class Channel:")
CARRIES_LITTLE = faulty("CACHE_BYTES = 8 << 20", f"CACHE_BYTES = {WEIGHT_FOR}")


def test_what_comes_while_the_only_listener_catches_up_waits_within_bounds() -> None:
    room = channel.Channel(ROOM)
    joiner = room.attach(Ear(takes_frames=True))
    room.offer(1, [b"1"])
    room.stands_at(0)
    for number in range(2, 3 * channel.KEPT):
        room.offer(number, [b"%d" % number])
    assert not room._early
    assert len(joiner._waiting) <= channel.KEPT
    assert not joiner.reaches(0), "so it reads what it missed from the database"


def test_what_came_early_does_not_follow_upon_half_of_what_the_database_had() -> None:
    """A change that stands in the first half only by its last one, in the other half, would be lost."""
    room, ear = channel.Channel(ROOM), Ear(takes_frames=False)
    room.go_live(room.attach(ear), MEMBER, 0)
    room.offer(4, [b"4", b"5"])
    room.repair(3, [1, 3], [b"1", b"3"], is_whole=False)
    room.offer(6, [b"6"])
    assert ear.heard == [1, 3]
    assert room.has_gap
    room.repair(5, [5], [b"5"])
    assert ear.heard == [1, 3, 5, 6]
    assert not room.has_gap
