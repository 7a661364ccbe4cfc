"""Guesses at one account: free at first, then each costs twice as much time, for at most a quarter of an hour."""

import time

import pytest

from app.core.security import account_delays
from app.core.security.account_delays import FORGOTTEN_SECONDS, LONGEST_SECONDS, AccountDelays
from app.core.security.rate_limits import TooFast


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def waits(delays: AccountDelays, account: str = "alice") -> float:
    """The seconds that a try has to wait; 0 if it was let through."""
    try:
        delays.begin(account)
    except TooFast as error:
        return error.retry_after or -1.0
    return 0.0


def test_the_delay_doubles_with_every_failure(clock: list[float]) -> None:
    delays = AccountDelays(3)
    assert [waits(delays) for _ in range(4)] == [0, 0, 0, 1]
    seen = []
    for _ in range(14):
        clock[0] += (delay := waits(delays))
        assert waits(delays) == 0
        seen.append(delay)
    assert seen[:4] == [1, 2, 4, 8]
    assert seen[-1] == LONGEST_SECONDS
    assert waits(delays, "bob") == 0


def test_a_refused_try_does_not_prolong_the_wait(clock: list[float]) -> None:
    delays = AccountDelays(1)
    assert waits(delays) == 0
    assert {waits(delays) for _ in range(100)} == {1}


def test_success_and_an_hour_of_peace_begin_anew(clock: list[float]) -> None:
    delays = AccountDelays(2)
    for _ in range(3):
        assert [waits(delays), waits(delays)] == [0, 0]
        delays.succeeded("alice")
    assert [waits(delays), waits(delays), waits(delays)] == [0, 0, 1]
    clock[0] += FORGOTTEN_SECONDS + 1
    assert [waits(delays), waits(delays), waits(delays)] == [0, 0, 1]
    delays.succeeded("nobody that was ever tried")


def test_many_tries_at_once_are_all_counted(clock: list[float]) -> None:
    """A try counts as failed until it has succeeded."""
    delays = AccountDelays(10)
    assert sum(waits(delays) == 0 for _ in range(300)) == 10


def test_no_limit_delays_nothing_and_remembers_nothing(clock: list[float]) -> None:
    delays = AccountDelays(0)
    assert {waits(delays) for _ in range(100)} == {0}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_delays, "ACCOUNTS", 10)
    delays = AccountDelays(1)
    for number in range(20):
        assert waits(delays, f"account {number}") == 0
    assert waits(delays, "account 0") == 0, "forgotten"
    assert waits(delays, "account 19") > 0
