"""Wall time, for display: whole milliseconds since 1970, UTC.

It never orders or measures anything: events are ordered by number, and waits are measured with `time.monotonic`.
"""

import time
from datetime import UTC, datetime
from functools import lru_cache


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


@lru_cache(maxsize=64)
def plain(seconds: int) -> str:
    """Format seconds since the epoch in UTC without a time zone: `2024-01-01T12:00:00`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=64)
def rfc3339(ms: int) -> str:
    """Format milliseconds since the epoch in UTC as RFC 3339: `2024-01-01T12:00:00.123Z`."""
    return f"{plain(ms // 1000)}.{ms % 1000:03d}Z"
