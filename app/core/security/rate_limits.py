"""Rate limits: token buckets over monotonic time."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Self

from app.core.errors import TooManyRequests

CACHE_ENTRIES = 100_000
"""Keys of a RateLimiter; the least recently used are evicted first, so that memory stays bounded under attack."""


BYTES_EACH = 4096
"""Bytes of a request that cost as much as a request without any: the most expensive text of that size takes as long to
normalize as a small command takes to be carried out."""


def cost(size: int) -> int:
    """What a request of so many bytes counts: once, and once more for every BYTES_EACH of it."""
    return 1 + size // BYTES_EACH


class TooFast(TooManyRequests):
    """Too many requests; wait as long as `Retry-After` says."""


class Bucket:
    """Allows `burst` at once and `rate` a second on average; a rate of 0 is no limit. The level never exceeds
    `burst`; below zero it is a debt."""

    __slots__ = ("_burst", "_level", "_rate", "_updated")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._updated = 0.0

    def spend(self, now: float, count: int = 1) -> float:
        """Spend `count`, at most a burst. Returns the debt in seconds: 0 while within the limit.

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
        """Undo a `spend`."""
        self._level += min(count, self._burst)


class RateLimiter:
    """A token bucket per key."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: OrderedDict[bytes, Bucket] = OrderedDict()

    @classmethod
    def per_minute(cls, count: int) -> Self:
        """Allow `count` a minute, which may all be spent at once; 0 is no limit."""
        return cls(count / 60, max(1, count))

    def bucket(self, name: str) -> Bucket:
        key = blake2b(name.encode(), digest_size=16).digest()  # a fixed size, whatever a client sends
        found = self._buckets.get(key)
        if found is None:
            found = self._buckets[key] = Bucket(self._rate, self._burst)
            if len(self._buckets) > CACHE_ENTRIES:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return found

    def spend(self, key: str, count: int = 1) -> None:
        """Spend `count`. Raises TooFast; a refused attempt does not prolong the wait."""
        bucket = self.bucket(key)
        debt = bucket.spend(time.monotonic(), count)
        if debt > 0:
            bucket.give_back(count)
            raise TooFast(retry_after=debt)


class NestedLimiter:
    """A limit for a client, and wider ones for the networks around it, each in a narrower one."""

    def __init__(self, *limiters: RateLimiter) -> None:
        self._limiters = limiters

    def spend(self, keys: Sequence[str]) -> None:
        """Spend one of each, the narrowest first, as far as there are keys. Raises TooFast, and then spends none."""
        spent: list[Bucket] = []
        try:
            for limiter, key in zip(self._limiters, keys, strict=False):
                limiter.spend(key)
                spent.append(limiter.bucket(key))
        except TooFast:
            for bucket in spent:
                bucket.give_back()
            raise
