"""Slow listeners: those over the limit have a moment to catch up, and none if they are far over it."""

import pytest
from structlog.testing import capture_logs

from app.core.config import Settings
from app.schemas import close_codes
from app.websocket.hub.slow_listeners import HARD_LIMIT_FACTOR, OVER_SECONDS, SlowListeners
from tests.support.fakes import RecordingPeer

LIMIT = 1000
NOW = 100.0


@pytest.fixture
def slow_listeners() -> SlowListeners:
    return SlowListeners(Settings(max_send_buffer_bytes=LIMIT))


def watched(slow_listeners: SlowListeners, waiting: int) -> RecordingPeer:
    """A listener for which so many bytes are buffered."""
    listener = RecordingPeer()
    listener.recorded.waiting = waiting
    slow_listeners.watch(listener)
    return listener


@pytest.mark.parametrize(
    "waiting, after, code",
    [
        (LIMIT, 10 * OVER_SECONDS, None),
        (LIMIT + 1, OVER_SECONDS / 2, None),
        (LIMIT + 1, 2 * OVER_SECONDS, close_codes.TOO_SLOW.code),
        (HARD_LIMIT_FACTOR * LIMIT, OVER_SECONDS / 2, None),
        (HARD_LIMIT_FACTOR * LIMIT + 1, 0.0, close_codes.TOO_SLOW.code),
    ],
)
def test_a_listener_over_the_limit_has_a_moment_within_bounds(
    slow_listeners: SlowListeners, waiting: int, after: float, code: int | None
) -> None:
    listener = watched(slow_listeners, waiting)
    slow_listeners.check(NOW)
    if after:
        slow_listeners.check(NOW + after)
    assert listener.close_code == code


def test_the_moment_ends_when_the_buffer_is_far_over_the_limit(slow_listeners: SlowListeners) -> None:
    listener = watched(slow_listeners, 2 * LIMIT)
    slow_listeners.check(NOW)
    assert listener.close_code is None
    listener.recorded.waiting = (HARD_LIMIT_FACTOR + 1) * LIMIT
    slow_listeners.check(NOW + 0.1)
    assert listener.close_code == close_codes.TOO_SLOW.code


def test_a_listener_that_drops_below_the_limit_has_another_moment(slow_listeners: SlowListeners) -> None:
    listener = watched(slow_listeners, 2 * LIMIT)
    for now, waiting in (
        (NOW, 2 * LIMIT),
        (NOW + 0.4, LIMIT),
        (NOW + 0.8, 2 * LIMIT),
        (NOW + 1.2, 2 * LIMIT),
    ):
        listener.recorded.waiting = waiting
        slow_listeners.check(now)
    assert listener.close_code is None
    slow_listeners.check(NOW + 0.8 + 2 * OVER_SECONDS)
    assert listener.close_code == close_codes.TOO_SLOW.code


@pytest.mark.parametrize("waiting, is_behind", [(0, False), (LIMIT // 2, False), (LIMIT // 2 + 1, True)])
def test_ephemeral_events_are_withheld_above_half_of_the_limit(
    slow_listeners: SlowListeners, waiting: int, is_behind: bool
) -> None:
    listener = watched(slow_listeners, waiting)
    slow_listeners.check(NOW)
    assert listener.is_behind is is_behind


def test_a_listener_that_has_drained_gets_ephemeral_events_again(slow_listeners: SlowListeners) -> None:
    listener = watched(slow_listeners, LIMIT)
    slow_listeners.check(NOW)
    assert listener.is_behind
    listener.recorded.waiting = 0
    slow_listeners.check(NOW + 1)
    assert not listener.is_behind


def test_a_listener_is_closed_once_and_logged_once(slow_listeners: SlowListeners) -> None:
    watched(slow_listeners, (HARD_LIMIT_FACTOR + 1) * LIMIT)
    with capture_logs() as lines:
        for now in (NOW, NOW + 1, NOW + 2):
            slow_listeners.check(now)
    assert [line["event"] for line in lines] == ["listener.too_slow"]


def test_a_lost_listener_is_not_checked_any_more(slow_listeners: SlowListeners) -> None:
    listener = watched(slow_listeners, (HARD_LIMIT_FACTOR + 1) * LIMIT)
    slow_listeners.forget(listener)
    slow_listeners.forget(listener)
    slow_listeners.check(NOW)
    assert listener.close_code is None
