"""Guesses at one account from many addresses: each costs more time than the one before."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b

from app.core.security.rate_limits import TooFast

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 900.0
"""A user who forgot the password is not locked out for long, and a guesser has a hundred tries a day."""
FORGOTTEN_SECONDS = 3600.0
"""After so long without a try, counting begins anew."""
ACCOUNTS = 100_000
"""The least recently tried are evicted first, so that memory stays bounded under attack."""


@dataclass(slots=True)
class _Failures:
    count: int = 0
    until: float = 0.0
    """When the next try may come, in monotonic seconds."""
    last: float = 0.0


class AccountDelays:
    """Delays tries at an account after `free` failures in a row: a second, two, four … up to a quarter of an hour."""

    def __init__(self, free: int) -> None:
        """0 is no limit."""
        self._free = free
        self._accounts: OrderedDict[bytes, _Failures] = OrderedDict()

    def begin(self, account: str) -> None:
        """Count a try as a failure until it has succeeded: many may be under way. Raises TooFast."""
        if not self._free:
            return
        now, key = time.monotonic(), _key(account)
        tried = self._accounts.setdefault(key, _Failures())
        self._accounts.move_to_end(key)
        if len(self._accounts) > ACCOUNTS:
            self._accounts.popitem(last=False)
        if now < tried.until:
            raise TooFast(retry_after=tried.until - now)
        if now - tried.last > FORGOTTEN_SECONDS:
            tried.count = 0
        tried.count, tried.last = tried.count + 1, now
        if tried.count >= self._free:
            doublings = min(tried.count - self._free, 20)
            tried.until = now + min(LONGEST_SECONDS, FIRST_SECONDS * 2**doublings)

    def succeeded(self, account: str) -> None:
        self._accounts.pop(_key(account), None)


def _key(account: str) -> bytes:
    """Of a fixed size, whatever a client sends."""
    return blake2b(account.encode(), digest_size=16).digest()
