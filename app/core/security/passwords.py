"""Passwords: Argon2id (RFC 9106) in a small pool of threads of its own, with a short queue in front of it."""

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

T = TypeVar("T")
Args = TypeVarTuple("Args")

MAX_HASHERS = 2
"""Hashes at a time, if there is a core for each beside the one that talks. Each takes one and 19 MiB for some 20 ms."""
LOWEST_PRIORITY = 19
RETRY_SECONDS = 5.0
"""By then a queue of the default length is done, also on a slow machine."""


class TooBusy(Unavailable):
    """Too many people are signing in at this moment; wait as long as `Retry-After` says."""

    retry_after = RETRY_SECONDS


class Passwords:
    """Hashes and checks, never in the event loop: 20 logins there stalled every socket for 5.6 s.

    No more than `queue` of them wait for a thread (0: as many as come); whoever comes then is told at once. In a queue
    without an end everybody waits for those who gave up long ago, and nobody signs in any more.
    """

    def __init__(self, queue: int = 0) -> None:
        # OWASP's second choice of parameters: 19 MiB, 2 passes, one lane.
        self._hash = PasswordHash([Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1)])
        self._nobody = self._hash.hash("the password of a user who does not exist")
        self.hashers = max(1, min(MAX_HASHERS, _cores() - 1))
        self._pool = ThreadPoolExecutor(self.hashers, thread_name_prefix="password", initializer=_step_back)
        self._most = queue + self.hashers if queue else 0
        self._under_way = 0
        self._is_full = False

    def digest(self, password: str) -> str:
        """The Argon2id hash, in this thread."""
        return self._hash.hash(password)

    def verify(self, password: str, hashed: str) -> bool:
        """Whether the password belongs to the hash, in this thread."""
        try:
            return self._hash.verify(password, hashed)
        except PwdlibError:
            return False

    async def hash(self, password: str) -> str:
        """Raises TooBusy."""
        return await self._run(self.digest, password)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the password belongs to the hash; no hash (no such user) is False and takes as long.

        Raises TooBusy.
        """
        right = await self._run(self.verify, password, hashed or self._nobody)
        return right and hashed is not None

    async def _run(self, work: Callable[[*Args], T], *args: *Args) -> T:
        if self._most and self._under_way >= self._most:
            self._note_full()
            raise TooBusy
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        finally:
            self._under_way -= 1
            self._is_full = self._is_full and self._under_way > 0

    def _note_full(self) -> None:
        """Once until it is empty again: whoever fills the queue must not fill the log as well."""
        if not self._is_full:
            self._is_full = True
            log.warning("passwords.queue_full", waiting=self._most - self.hashers)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _cores() -> int:
    """How many this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _step_back() -> None:
    """On one core, a storm of logins would have two thirds of it; whoever talks comes first. Linux alone has a priority
    for each thread; elsewhere it is one for the process."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # where that is forbidden, it goes without
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)
