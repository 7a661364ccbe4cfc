"""Who is too fast for too long: each connection judged by itself."""

from app.core.security.rate_limits import Bucket

PATIENCE_SECONDS = 60.0
"""How long a connection may ask for more than it gets, all the time, before it is closed."""
REST_SECONDS = 1.0
"""So much rest clears whatever it has done."""


class SustainedOveruse:
    """The bucket of a user is shared by all their connections, so being held back says nothing about one of them. What
    does: that it uses up at once whatever it is given. So the time for which it is held back does not count as rest.

    Time is monotonic seconds.
    """

    __slots__ = ("_held", "_over_since", "_own")

    def __init__(self, rate: float, burst: float) -> None:
        self._own = Bucket(rate, burst)
        self._held = 0.0
        self._over_since: float | None = None

    def was_held(self, seconds: float) -> None:
        self._held += seconds

    def is_over(self, now: float, count: int = 1) -> bool:
        """Whether these commands, for which the connection is to be held back, are too many."""
        owed = self._own.take(now - self._held, count)
        if not owed:
            self._over_since = None
            return False
        if owed > REST_SECONDS:
            self._own.give_back(count)
        if self._over_since is None:
            self._over_since = now
        return now - self._over_since > PATIENCE_SECONDS
