"""A connection that never slows down is closed after a minute; others are not, whatever their user does elsewhere."""

import heapq
import itertools
from collections.abc import Iterator

import pytest

from app.core.security.rate_limits import Bucket
from app.websocket.connection.overuse import OVERUSE_SECONDS, SustainedOveruse

RATE, BURST = 50, 200
TEN_MINUTES = 600.0

Pauses = Iterator[float]


def flood() -> Pauses:
    """The next command follows a moment after the last one was read."""
    return itertools.repeat(0.0005)


def every(seconds: float) -> Pauses:
    return itertools.repeat(seconds)


def in_waves(talk: float, rest: float) -> Pauses:
    """A flood with a rest now and then."""
    for number in itertools.count(1):
        yield rest if number % int(talk * RATE) == 0 else 0.0005


def closed(*clients: Pauses) -> list[float | None]:
    """When each of one user's connections is closed, if at all, within ten minutes. Clients pause between commands."""
    shared = Bucket(RATE, BURST)
    overuse = [SustainedOveruse(RATE, BURST) for _ in clients]
    ends: list[float | None] = [None for _ in clients]
    due = [(1000.0 + 0.001 * number, number) for number in range(len(clients))]
    while due and due[0][0] < 1000.0 + TEN_MINUTES:
        now, number = heapq.heappop(due)
        debt = shared.spend(now)
        if debt and overuse[number].is_sustained(now):
            ends[number] = now - 1000.0
            continue
        if debt:
            overuse[number].was_held(debt)
        heapq.heappush(due, (now + debt + next(clients[number]), number))
    return ends


def is_soon_after_a_minute(end: float | None) -> bool:
    return end is not None and OVERUSE_SECONDS < end < 1.3 * OVERUSE_SECONDS


def test_a_flood_is_closed_after_a_minute() -> None:
    assert is_soon_after_a_minute(*closed(flood()))


@pytest.mark.parametrize("pause", [0.1, 1.0, 20.0])
def test_a_quiet_connection_is_not_closed_because_another_one_floods(pause: float) -> None:
    flooding, quiet = closed(flood(), every(pause))
    assert is_soon_after_a_minute(flooding)
    assert quiet is None


def test_two_floods_are_both_closed_though_each_gets_half_of_the_rate() -> None:
    assert all(map(is_soon_after_a_minute, closed(flood(), flood())))


@pytest.mark.parametrize("client", [every(1 / RATE), every(1.01 / RATE), in_waves(talk=50, rest=2)])
def test_a_client_within_the_rate_or_with_a_rest_in_time_is_never_closed(client: Pauses) -> None:
    assert closed(client) == [None]


def test_a_client_that_is_always_above_the_rate_is_closed_without_a_flood() -> None:
    assert closed(every(0.5 / RATE)) != [None]
