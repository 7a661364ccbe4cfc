"""The inbox: frames are carried out in their order, held back for a reason, and dropped when there is no more use."""

import gc
import weakref

import pytest

from app.core.security.rate_limits import Bucket
from app.websocket.connection.inbox import BUSY, FULL, MAX_IN_FLIGHT, STOPPING, THROTTLED, Inbox
from app.websocket.connection.overuse import OVERUSE_SECONDS, SustainedOveruse
from tests.support.fakes import ManualClock, RecordingTransport

RATE, BURST = 8, 5
TURN = 1 / RATE
"""Seconds that one frame above the rate costs. A power of two, so that sums of it are exact."""


class Owner:
    """A connection that records the frames it carries out. A frame may name what its command does to the inbox."""

    def __init__(self, rate: float = 0, *, is_charged: bool = False) -> None:
        self.transport = RecordingTransport()
        self.carried_out: list[bytes] = []
        self.overuses = 0
        self._is_charged = is_charged
        self.texts: list[bool] = []
        self.inbox = Inbox(self, self.transport, Bucket(rate, BURST), SustainedOveruse(rate, BURST))

    def receive(self, *payloads: bytes) -> None:
        for payload in payloads:
            self.inbox.feed(payload, is_text=True)

    def carry_out(self, payload: bytes, is_text: bool) -> None:
        self.texts.append(is_text)
        self.carried_out.append(payload)
        if payload == b"wait":
            self.inbox.hold(BUSY)
        elif payload == b"message":
            self.inbox.departed()
        elif payload == b"echo":
            self.receive(b"echoed")
        if self._is_charged:
            self.inbox.charge()

    def end_overuse(self) -> None:
        self.overuses += 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    return ManualClock(monkeypatch)


# Order and holds


def test_a_frame_is_carried_out_at_once() -> None:
    owner = Owner()
    owner.receive(b"1", b"2", b"3")
    assert owner.carried_out == [b"1", b"2", b"3"]
    assert not owner.inbox.is_busy
    assert owner.transport.is_reading()


def test_text_and_binary_frames_are_told_apart_also_after_a_hold() -> None:
    owner = Owner()
    owner.inbox.feed(b"text", is_text=True)
    owner.inbox.hold(BUSY)
    owner.inbox.feed(b"binary", is_text=False)
    owner.inbox.release(BUSY)
    assert owner.carried_out == [b"text", b"binary"]
    assert owner.texts == [True, False]


def test_no_frame_overtakes_a_command_that_waits() -> None:
    owner = Owner()
    owner.receive(b"1", b"wait", b"2", b"wait", b"3")
    assert owner.carried_out == [b"1", b"wait"]
    assert owner.inbox.is_busy
    owner.inbox.release(BUSY)
    assert owner.carried_out == [b"1", b"wait", b"2", b"wait"], "the next wait holds back the rest"
    owner.receive(b"4")
    owner.inbox.release(BUSY)
    assert owner.carried_out == [b"1", b"wait", b"2", b"wait", b"3", b"4"]
    assert not owner.inbox.is_busy


def test_a_frame_that_comes_while_the_backlog_is_carried_out_goes_last() -> None:
    owner = Owner()
    owner.receive(b"wait", b"echo", b"1")
    owner.inbox.release(BUSY)
    assert owner.carried_out == [b"wait", b"echo", b"1", b"echoed"]


def test_nothing_is_read_while_frames_are_held_back() -> None:
    owner = Owner()
    owner.receive(b"wait")
    assert not owner.transport.is_reading()
    owner.inbox.release(BUSY)
    assert owner.transport.is_reading()


@pytest.mark.parametrize("first", [BUSY, THROTTLED, FULL])
def test_frames_wait_until_the_last_reason_is_gone(first: int) -> None:
    owner = Owner()
    reasons = [first, *({BUSY, THROTTLED, FULL} - {first})]
    for reason in reasons:
        owner.inbox.hold(reason)
    owner.receive(b"1")
    for reason in reasons[:-1]:
        owner.inbox.release(reason)
        assert owner.carried_out == []
        assert not owner.transport.is_reading()
    owner.inbox.release(reasons[-1])
    assert owner.carried_out == [b"1"]
    assert owner.transport.is_reading()


# Stopping


def test_a_stop_drops_later_frames_and_finishes_earlier_ones() -> None:
    owner = Owner()
    owner.receive(b"wait", b"1", b"2")
    owner.inbox.hold(STOPPING)
    owner.receive(b"too late")
    assert owner.inbox.is_busy
    owner.inbox.release(BUSY)
    assert owner.carried_out == [b"wait", b"1", b"2"]
    assert not owner.transport.is_reading(), "the stop is not over"
    assert not owner.inbox.is_busy


def test_a_stop_without_a_backlog_drops_every_frame() -> None:
    owner = Owner()
    owner.inbox.hold(STOPPING)
    owner.receive(b"too late")
    assert owner.carried_out == []
    assert not owner.inbox.is_busy


# Messages on their way to the disk


def test_reading_stops_at_the_limit_of_messages_in_flight_and_goes_on_at_half_of_it() -> None:
    owner = Owner()
    owner.receive(*[b"message"] * (MAX_IN_FLIGHT - 1))
    assert owner.transport.is_reading()
    owner.receive(b"message", b"held back")
    assert not owner.transport.is_reading()
    assert len(owner.carried_out) == MAX_IN_FLIGHT
    for _ in range(MAX_IN_FLIGHT // 2 - 1):
        owner.inbox.arrived()
    assert not owner.transport.is_reading()
    assert owner.carried_out[-1] == b"message"
    owner.inbox.arrived()
    assert owner.transport.is_reading()
    assert owner.carried_out[-1] == b"held back"


def test_a_backlog_of_messages_is_held_back_at_the_limit_again() -> None:
    owner = Owner()
    owner.receive(*[b"message"] * 2 * MAX_IN_FLIGHT)
    for _ in range(MAX_IN_FLIGHT // 2):
        owner.inbox.arrived()
    assert len(owner.carried_out) == MAX_IN_FLIGHT + MAX_IN_FLIGHT // 2
    assert not owner.transport.is_reading()


def test_an_inbox_is_busy_until_every_message_has_arrived() -> None:
    owner = Owner()
    owner.receive(b"message", b"message")
    owner.inbox.arrived()
    assert owner.inbox.is_busy
    owner.inbox.arrived()
    assert not owner.inbox.is_busy


# Rate limit


async def test_a_client_above_the_rate_is_read_more_slowly_and_nothing_is_refused(clock: ManualClock) -> None:
    owner = Owner(RATE, is_charged=True)
    frames = [b"%d" % number for number in range(BURST + 5)]
    owner.receive(*frames)
    assert owner.carried_out == frames[: BURST + 1], "the first frame above the burst makes the debt"
    assert not owner.transport.is_reading()
    for count in range(BURST + 2, BURST + 6):
        await clock.advance(TURN / 2)
        assert len(owner.carried_out) == count - 1
        await clock.advance(TURN / 2)
        assert len(owner.carried_out) == count
    assert not owner.transport.is_reading()
    await clock.advance(TURN)
    assert owner.carried_out == frames
    assert owner.transport.is_reading()
    assert owner.overuses == 0


async def test_several_control_frames_count_at_once(clock: ManualClock) -> None:
    owner = Owner(RATE)
    owner.inbox.charge(BURST)
    assert owner.transport.is_reading()
    owner.inbox.charge(3)
    await clock.advance(2.5 * TURN)
    assert not owner.transport.is_reading()
    await clock.advance(0.5 * TURN)
    assert owner.transport.is_reading()


async def test_later_frames_of_the_same_read_prolong_the_pause(clock: ManualClock) -> None:
    owner = Owner(RATE)
    owner.inbox.charge(BURST)
    owner.inbox.charge(1)
    owner.inbox.charge(2)
    await clock.advance(2 * TURN)
    assert not owner.transport.is_reading(), "the first debt alone would be paid"
    await clock.advance(TURN)
    assert owner.transport.is_reading()


async def test_a_paid_debt_does_not_release_other_holds(clock: ManualClock) -> None:
    owner = Owner(RATE)
    owner.inbox.charge(BURST)
    owner.inbox.charge()
    owner.inbox.hold(BUSY)
    await clock.advance(1)
    owner.receive(b"1")
    assert not owner.transport.is_reading()
    assert owner.carried_out == []
    owner.inbox.release(BUSY)
    assert owner.carried_out == [b"1"]


async def test_a_client_that_never_slows_down_is_reported_after_a_minute(clock: ManualClock) -> None:
    owner = Owner(RATE, is_charged=True)
    began = clock.now
    while not owner.overuses:
        if owner.transport.is_reading():
            owner.receive(b"more", b"more")
        await clock.advance(TURN / 2)
        assert clock.now - began < 1.3 * OVERUSE_SECONDS
    assert clock.now - began > OVERUSE_SECONDS


async def test_a_client_that_rests_in_time_is_never_reported(clock: ManualClock) -> None:
    owner = Owner(RATE, is_charged=True)
    began = clock.now
    while (elapsed := clock.now - began) < 10 * OVERUSE_SECONDS:
        if owner.transport.is_reading() and elapsed % 50 < 45:
            owner.receive(b"more", b"more")
        await clock.advance(TURN / 2)
    assert len(owner.carried_out) > 8 * OVERUSE_SECONDS * RATE, "it uses nearly all that it may"
    assert owner.overuses == 0


# The end


def test_cleared_frames_are_not_carried_out() -> None:
    owner = Owner()
    owner.receive(b"wait", b"dropped")
    owner.inbox.clear()
    owner.inbox.release(BUSY)
    owner.receive(b"later")
    assert owner.carried_out == [b"wait", b"later"]


def test_a_lost_connection_carries_out_nothing_more() -> None:
    owner = Owner()
    owner.receive(b"wait", b"dropped")
    owner.inbox.close()
    assert not owner.inbox.is_busy
    owner.inbox.release(BUSY)
    owner.receive(b"later")
    assert owner.carried_out == [b"wait"]


async def test_a_closed_inbox_lets_go_of_its_owner_without_the_garbage_collector(clock: ManualClock) -> None:
    """Not even while a timer for the end of its throttling is pending."""
    owner = Owner(RATE)
    owner.inbox.charge(BURST)
    owner.inbox.charge()
    owner.inbox.close()
    reference, inbox = weakref.ref(owner), owner.inbox
    gc.disable()
    try:
        del owner
        assert reference() is None
    finally:
        gc.enable()
    await clock.advance(1)
    inbox.charge(1000)
