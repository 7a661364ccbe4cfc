"""How fast is too fast: token buckets over monotonic time."""

import time
from collections import OrderedDict
from hashlib import blake2b
from typing import Self

from app.core.errors import TooManyRequests

CACHE_ENTRIES = 100_000
"""Keys a RateLimiter keeps; the ones longest unused are forgotten first, so that memory stays bounded under attack."""


class TooFast(TooManyRequests):
    """Too many requests; wait as long as `Retry-After` says."""


class Bucket:
    """`burst` at once, `rate` a second on average; a rate of 0 is no limit. It may run into debt, never into credit."""

    __slots__ = ("_burst", "_level", "_rate", "_updated")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._updated = 0.0

    def take(self, now: float, count: int = 1) -> float:
        """Spend one, or so many, but no more than a burst. Returns the seconds of debt: 0 while within the limit.

        `now` is monotonic, in seconds.
        """
        if not self._rate:
            return 0.0
        self._level = min(self._burst, self._level + (now - self._updated) * self._rate) - min(
            count, self._burst
        )
        self._updated = now
        return max(0.0, -self._level / self._rate)

    def give_back(self, count: int = 1) -> None:
        """Undo a `take` that led to nothing."""
        self._level += min(count, self._burst)


class RateLimiter:
    """A bucket for each key."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: OrderedDict[bytes, Bucket] = OrderedDict()

    @classmethod
    def per_minute(cls, count: int) -> Self:
        """A minute's worth may come at once; 0 is no limit."""
        return cls(count / 60, max(1, count))

    def bucket(self, name: str) -> Bucket:
        key = blake2b(name.encode(), digest_size=16).digest()  # names are as long as somebody likes
        found = self._buckets.get(key)
        if found is None:
            found = self._buckets[key] = Bucket(self._rate, self._burst)
            if len(self._buckets) > CACHE_ENTRIES:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return found

    def take(self, key: str) -> None:
        """Raises TooFast, which costs nothing: trying again does not make the wait longer."""
        bucket = self.bucket(key)
        debt = bucket.take(time.monotonic())
        if debt > 0:
            bucket.give_back()
            raise TooFast(retry_after=debt)
