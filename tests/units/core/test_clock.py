"""Timestamps as clients see them."""

import time
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import now_ms, plain, rfc3339

YEAR_9999 = 253_402_300_799_999


def test_a_plain_timestamp_has_whole_seconds_and_no_zone() -> None:
    assert plain(1_704_110_400) == "2024-01-01T12:00:00"


def test_an_rfc_3339_timestamp_has_milliseconds_and_a_zone() -> None:
    assert rfc3339(1_704_110_400_007) == "2024-01-01T12:00:00.007Z"


def test_now_is_the_wall_clock_in_milliseconds() -> None:
    assert abs(now_ms() - time.time() * 1000) < 1000


@given(st.integers(0, YEAR_9999))
def test_a_timestamp_reads_back_as_the_same_millisecond(ms: int) -> None:
    read = datetime.fromisoformat(rfc3339(ms))
    assert read.tzinfo == UTC
    assert round(read.timestamp() * 1000) == ms


@given(st.integers(0, YEAR_9999), st.integers(0, YEAR_9999))
def test_later_timestamps_sort_later(one: int, other: int) -> None:
    assert (rfc3339(one) < rfc3339(other)) == (one < other)
