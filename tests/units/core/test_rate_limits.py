"""Token buckets: a burst at once, a rate on average, and waiting pays debts."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.security import rate_limits
from app.core.security.rate_limits import Bucket, NestedLimiter, RateLimiter, TooFast, cost


def test_a_burst_is_free_and_then_there_is_debt() -> None:
    bucket = Bucket(rate=2, burst=3)
    assert [bucket.spend(100.0) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]


def test_several_are_spent_at_once_but_no_more_than_a_burst() -> None:
    bucket = Bucket(rate=2, burst=3)
    assert [bucket.spend(100.0, 2), bucket.spend(100.0, 2), bucket.spend(100.0, 1000)] == [0, 0.5, 2.0]
    bucket.give_back(1000)
    assert bucket.spend(100.0) == 1.0


def test_waiting_pays_the_debt() -> None:
    bucket = Bucket(rate=2, burst=1)
    assert bucket.spend(100.0) == 0
    assert bucket.spend(100.0) == 0.5
    assert bucket.spend(101.0) == 0, "half a second of debt is paid, and half a second saved for this one"


def test_a_long_rest_earns_one_burst_and_no_more() -> None:
    bucket = Bucket(rate=10, burst=2)
    bucket.spend(100.0)
    assert [bucket.spend(1_000_000.0) for _ in range(3)] == [0, 0, 0.1]


def test_a_rate_of_zero_is_no_limit() -> None:
    bucket = Bucket(rate=0, burst=1)
    assert not any(bucket.spend(100.0) for _ in range(1000))


@given(st.lists(st.floats(0, 2), max_size=200), st.integers(1, 50), st.integers(1, 20))
def test_a_client_that_waits_out_its_debt_never_exceeds_the_rate(
    pauses: list[float], rate: int, burst: int
) -> None:
    """At any moment no more was spent than the burst and what the rate has earned since the beginning."""
    bucket, now = Bucket(rate, burst), 1000.0
    for spent, pause in enumerate(pauses):
        now += pause
        assert spent <= burst + (now - 1000.0) * rate + 1e-6
        now += bucket.spend(now)


def test_each_key_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 50.0)
    limiter = RateLimiter(rate=1, burst=2)
    limiter.spend("alice")
    limiter.spend("alice")
    limiter.spend("bob")
    with pytest.raises(TooFast) as refused:
        limiter.spend("alice")
    assert refused.value.retry_after == 1.0


def test_refused_attempts_do_not_prolong_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 50.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    limiter = RateLimiter(rate=1, burst=1)
    limiter.spend("alice")
    for _ in range(100):
        with pytest.raises(TooFast):
            limiter.spend("alice")
    now = 51.0
    limiter.spend("alice")


def test_a_request_costs_one_and_one_more_for_every_four_kilobytes() -> None:
    assert [cost(size) for size in (0, 1, 4095, 4096, 8191, 8192, 131_072)] == [1, 1, 1, 2, 2, 3, 33]


def test_an_expensive_attempt_that_is_refused_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 50.0)
    limiter = RateLimiter(rate=1, burst=10)
    limiter.spend("alice", 8)
    with pytest.raises(TooFast) as refused:
        limiter.spend("alice", 5)
    assert refused.value.retry_after == 3.0
    limiter.spend("alice", 2)


def test_memory_is_bounded_and_busy_keys_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "CACHE_ENTRIES", 10)
    limiter = RateLimiter(rate=1, burst=1)
    busy = limiter.bucket("busy")
    for stranger in range(100):
        limiter.bucket(f"stranger {stranger}")
        assert limiter.bucket("busy") is busy
    assert len(limiter._buckets) == 10


def test_a_wider_network_has_a_wider_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 50.0)
    nested = NestedLimiter(RateLimiter.per_minute(2), RateLimiter.per_minute(5))

    def spends(*keys: str) -> bool:
        try:
            nested.spend(keys)
        except TooFast:
            return False
        return True

    assert [spends("a", "net") for _ in range(4)] == [True, True, False, False]
    assert [spends("b", "net") for _ in range(4)] == [True, True, False, False]
    assert [spends("c", "net") for _ in range(3)] == [True, False, False], "the network has used up its five"
    assert [spends("c", "other") for _ in range(2)] == [True, False], "what the network refused was not spent"
    assert spends("d"), "without a network there is one limit"
