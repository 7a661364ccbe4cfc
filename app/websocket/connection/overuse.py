"""Sustained overuse of the rate limit, judged per connection."""

from app.core.security.rate_limits import Bucket

OVERUSE_SECONDS = 60.0
"""How long a connection may ask for more than it gets, without a break, before it is closed."""
REST_SECONDS = 1.0
"""A break of this length clears any debt."""


class SustainedOveruse:
    """Tells a connection that never slows down from one that is held back because of others.

    All connections of a user share one bucket, so being held back says nothing about one of them. Using up at once
    whatever it is given does. So the time for which a connection is held back does not count as a break. Time is
    monotonic seconds.
    """

    __slots__ = ("_held", "_over_since", "_own")

    def __init__(self, rate: float, burst: float) -> None:
        self._own = Bucket(rate, burst)
        self._held = 0.0
        self._over_since: float | None = None

    def was_held(self, seconds: float) -> None:
        """Note how long the connection was not read."""
        self._held += seconds

    def is_sustained(self, now: float, count: int = 1) -> bool:
        """Count commands for which the connection is about to be held back. Returns whether it has gone on too long."""
        owed = self._own.spend(now - self._held, count)
        if not owed:
            self._over_since = None
            return False
        if owed > REST_SECONDS:
            self._own.give_back(count)
        if self._over_since is None:
            self._over_since = now
        return now - self._over_since > OVERUSE_SECONDS
