"""Passwords: Argon2id (RFC 9106) in a small pool of threads of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

HASHERS = 2
"""Hashes at a time. Each takes a core and 19 MiB for some 20 ms; more at once would only starve the chat."""


class Passwords:
    """Hashes and checks, never in the event loop: 20 logins there stalled every socket for 5.6 s."""

    def __init__(self) -> None:
        # OWASP's second choice of parameters: 19 MiB, 2 passes, one lane.
        self._hash = PasswordHash([Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1)])
        self._nobody = self._hash.hash("the password of a user who does not exist")
        self._pool = ThreadPoolExecutor(HASHERS, thread_name_prefix="password")

    def digest(self, password: str) -> str:
        """The Argon2id hash, in this thread."""
        return self._hash.hash(password)

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.digest, password)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the password belongs to the hash; no hash (no such user) is False and takes as long."""
        right = await asyncio.get_running_loop().run_in_executor(
            self._pool, self._verify, password, hashed or self._nobody
        )
        return right and hashed is not None

    def _verify(self, password: str, hashed: str) -> bool:
        try:
            return self._hash.verify(password, hashed)
        except PwdlibError:
            return False

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
