"""Passwords: Argon2id (RFC 9106) in a small thread pool of its own, with a short queue in front of it."""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core.errors import Unavailable
from app.core.logs import log
from app.core.security.turns import QueueFull, TurnQueue

T = TypeVar("T")
Args = TypeVarTuple("Args")

MAX_HASHERS = 2
"""Hashes at a time, if there is a core for each besides the event loop's. Each takes one and 19 MiB for some 20 ms."""
LOWEST_PRIORITY = 19
RETRY_SECONDS = 5.0
"""By then a queue of the default length is empty, even on a slow machine."""


class TooBusy(Unavailable):
    """Too many sign-ins are in progress; wait as long as `Retry-After` says."""

    retry_after = RETRY_SECONDS


class Passwords:
    """Hashes and verifies passwords, never in the event loop: 20 logins there stalled every socket for 5.6 s.

    At most `queue` requests wait for a thread (0: no limit); further ones are refused at once. In an unbounded queue,
    requests wait behind those of clients that gave up long ago, and no login completes any more. Origins take turns.
    """

    def __init__(self, queue: int = 0) -> None:
        # OWASP's second recommended configuration: 19 MiB, 2 passes, one lane.
        self._hash = PasswordHash([Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1)])
        self._unknown_user_hash = self._hash.hash("the password of a user who does not exist")
        self.hashers = max(1, min(MAX_HASHERS, _cores() - 1))
        self._pool = ThreadPoolExecutor(
            self.hashers, thread_name_prefix="password", initializer=_lower_priority
        )
        self._turns = TurnQueue(self.hashers, queue)
        self._is_full = False

    def digest(self, password: str) -> str:
        """Hash a password in this thread."""
        return self._hash.hash(password)

    def verify(self, password: str, hashed: str) -> bool:
        """Check a password against a hash in this thread."""
        try:
            return self._hash.verify(password, hashed)
        except PwdlibError:
            return False

    async def hash(self, password: str, origin: str = "") -> str:
        """Hash a password. Raises TooBusy."""
        return await self._run(origin, self.digest, password)

    async def matches(self, password: str, hashed: str | None, origin: str = "") -> bool:
        """Whether the password belongs to the hash. Without a hash (no such user) it is False and takes as long.

        Raises TooBusy.
        """
        right = await self._run(origin, self.verify, password, hashed or self._unknown_user_hash)
        return right and hashed is not None

    async def _run(self, origin: str, work: Callable[[*Args], T], *args: *Args) -> T:
        try:
            async with self._turns.slot(origin):
                return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        except QueueFull:
            self._log_full()
            raise TooBusy from None
        finally:
            self._is_full = self._is_full and self._turns.waiting > 0

    def _log_full(self) -> None:
        """Log once until the queue is empty again: a client that fills the queue must not fill the log too."""
        if not self._is_full:
            self._is_full = True
            log.warning("passwords.queue_full", waiting=self._turns.waiting)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _cores() -> int:
    """The number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # only on Linux
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _lower_priority() -> None:
    """Give the event loop precedence over this thread: on one core, a burst of logins would take two thirds of it. Only
    Linux has a priority per thread; elsewhere it belongs to the process."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # may be forbidden
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)
