"""Time as the product shows it: whole milliseconds since 1970, UTC.

Wall time is only ever shown. What orders events is a number, and what measures a wait is `time.monotonic`.
"""

import time
from datetime import UTC, datetime
from functools import lru_cache


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


@lru_cache(maxsize=64)
def plain(seconds: int) -> str:
    """Whole seconds without a zone, in UTC: `2024-01-01T12:00:00`. Takes seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=64)
def rfc3339(ms: int) -> str:
    """RFC 3339 in UTC with milliseconds: `2024-01-01T12:00:00.123Z`."""
    return f"{plain(ms // 1000)}.{ms % 1000:03d}Z"
