"""Every listener of a room hears every number once, in order, without a hole. Planted faults show that this test fails
when it should."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.websocket.hub import channel as module
from app.websocket.hub.channel import MAX_BUFFERED_BYTES, MAX_BUFFERED_EVENTS, Channel
from tests.support.fakes import RecordingListener
from tests.units.websocket.channel_faults import FAULTS, planted
from tests.units.websocket.channel_model import MEMBER, ROOM, ChannelModel

STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 11)), max_size=60)
FEW_EVENTS = 3
"""Events that are buffered for a listener here, so that its buffer is often full."""
FEW_BYTES = 7
"""The same in bytes: two frames of a number with one digit."""
LONG = bytes(1 << 20)
STORIES = 3000
"""Within which a planted fault must be caught; most need fewer than a hundred."""


@contextmanager
def limits(events: int = MAX_BUFFERED_EVENTS, size: int = MAX_BUFFERED_BYTES) -> Iterator[None]:
    """Bound what is buffered for a listener."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_BUFFERED_EVENTS", events)
        patch.setattr(module, "MAX_BUFFERED_BYTES", size)
        yield


def play(steps: list[tuple[int, int]]) -> None:
    model = ChannelModel()
    for kind, choice in steps:
        model.step(kind, choice)
    model.finish()


def play_many() -> None:
    for seed in range(STORIES):
        chance = random.Random(seed)
        play([(chance.randrange(10), chance.randrange(12)) for _ in range(60)])


@given(STEPS, st.sampled_from([{}, {"events": FEW_EVENTS}, {"size": FEW_BYTES}]))
@settings(max_examples=1000, deadline=None, database=None)
def test_every_listener_hears_every_number_once_in_order_without_a_hole(
    steps: list[tuple[int, int]], bounds: dict[str, int]
) -> None:
    with limits(**bounds):
        play(steps)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str) -> None:
    with limits(events=FEW_EVENTS), planted(fault), pytest.raises(AssertionError):
        play_many()


def test_faults_are_planted_for_a_while_only() -> None:
    methods = dict(vars(Channel)) | dict(vars(module.Subscription))
    for fault in FAULTS:
        with planted(fault):
            assert dict(vars(Channel)) | dict(vars(module.Subscription)) != methods, (
                "a fault changes something"
            )
    assert dict(vars(Channel)) | dict(vars(module.Subscription)) == methods


@given(st.lists(st.integers(1, 3), min_size=1, max_size=50))
@settings(deadline=None)
def test_the_buffer_of_a_listener_is_bounded(sizes: list[int]) -> None:
    with limits(events=FEW_EVENTS):
        channel = Channel(ROOM)
        channel.go_live(channel.subscribe(RecordingListener(takes_frames=True)), MEMBER, 0)
        slow = channel.subscribe(RecordingListener())
        for size in sizes:
            assert channel.head is not None
            first = channel.head + 1
            channel.offer(first, [b"%d" % number for number in range(first, first + size)])
            assert sum(len(events.bodies) for _, _, events in slow._buffer) <= FEW_EVENTS


@given(st.lists(st.integers(1, 10), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_the_buffer_of_a_listener_is_bounded_in_bytes(sizes: list[int]) -> None:
    channel = Channel(ROOM)
    slow = channel.subscribe(RecordingListener())
    channel.start_at(0)
    for size in sizes:
        channel.offer((channel.head or 0) + 1, [LONG] * size)
        assert sum(len(events.frames) for _, _, events in slow._buffer) <= MAX_BUFFERED_BYTES
    is_too_much = sum(sizes) * (len(LONG) + 10) > MAX_BUFFERED_BYTES
    assert slow.reaches(0) is not is_too_much
    assert slow.reaches(channel.head or 0)


def test_events_are_buffered_within_bounds_while_the_only_listener_catches_up() -> None:
    channel = Channel(ROOM)
    subscription = channel.subscribe(RecordingListener(takes_frames=True))
    channel.offer(1, [b"1"])
    channel.start_at(0)
    for number in range(2, 3 * MAX_BUFFERED_EVENTS):
        channel.offer(number, [b"%d" % number])
    assert not channel._early
    assert len(subscription._buffer) <= MAX_BUFFERED_EVENTS
    assert not subscription.reaches(0), "so it reads what it missed from the database"


def test_early_events_do_not_follow_a_partial_read_of_the_database() -> None:
    """The rest of the read may hold a change whose message has its last change in the first part."""
    channel, listener = Channel(ROOM), RecordingListener()
    channel.go_live(channel.subscribe(listener), MEMBER, 0)
    channel.offer(4, [b"4", b"5"])
    channel.repair(3, [1, 3], [b"1", b"3"], is_whole=False)
    channel.offer(6, [b"6"])
    assert listener.heard == [1, 3]
    assert channel.has_gap
    channel.repair(5, [5], [b"5"])
    assert listener.heard == [1, 3, 5, 6]
    assert not channel.has_gap


def test_ephemeral_events_reach_live_listeners_that_keep_up_except_their_own_user() -> None:
    channel = Channel(ROOM)
    listeners = [RecordingListener(user_id=user) for user in (1, 2, 3, 4)]
    subscriptions = [channel.subscribe(listener) for listener in listeners]
    for subscription in subscriptions[:3]:
        channel.go_live(subscription, MEMBER, 0)
    listeners[1].is_behind = True
    channel.broadcast([b"8", b"9"], not_to=3)
    assert [listener.heard for listener in listeners] == [[8, 9], [], [], []]
