"""What one user may store in a day, and whether the disk has room for it.

Messages and bytes are counted in this process, so that a message costs no query: each process has a quota of its own,
and a restart begins anew. Rooms are counted in the database: see `services.rooms`.
"""

import time
from typing import Self

from app.core.config import Settings
from app.core.errors import AppError, InsufficientStorage, TooManyRequests
from app.core.free_disk import FreeDisk

DAY_SECONDS = 86_400.0
MAX_USERS = 100_000
"""Users whose use is remembered; the first ones are forgotten first."""


class DailyQuotaUsed(TooManyRequests):
    """You have stored as much as a day allows; try again later."""


class DiskNearlyFull(InsufficientStorage):
    """The disk of the server is nearly full: no new text is stored, while reading and deleting go on."""

    retry_after = 60.0


class _Use:
    """What a user stored; it is forgotten at the rate of the quota."""

    __slots__ = ("bytes", "messages", "updated")

    def __init__(self, now: float) -> None:
        self.messages = 0.0
        self.bytes = 0.0
        self.updated = now


class Quotas:
    """Quotas of a day, which may be used at once; 0 is no limit. The last message may exceed the bytes."""

    def __init__(
        self, messages: int = 0, max_bytes: int = 0, rooms: int = 0, disk: FreeDisk | None = None
    ) -> None:
        self._messages = messages or float("inf")
        self._bytes = max_bytes or float("inf")
        self._message_rate = messages / DAY_SECONDS
        self._byte_rate = max_bytes / DAY_SECONDS
        self.rooms = rooms
        """Rooms that a user may create in a day."""
        self._disk = disk or FreeDisk(None, 0)
        self._users: dict[int, _Use] = {}

    @classmethod
    def within(cls, settings: Settings, disk: FreeDisk) -> Self:
        return cls(settings.messages_per_day, settings.text_bytes_per_day, settings.rooms_per_day, disk)

    def refusal(self, user_id: int, text: str) -> AppError | None:
        """Count a text that a user is about to store; or why they may not. Runs for every message."""
        if self._disk.is_low:
            return DiskNearlyFull()
        use = self._up_to_date(user_id)
        if use.messages >= self._messages or use.bytes >= self._bytes:
            return DailyQuotaUsed(self._wait(use))
        use.messages += 1
        use.bytes += len(text) if text.isascii() else len(text.encode())
        return None

    def spend(self, user_id: int, text: str) -> None:
        """The same. Raises DailyQuotaUsed, DiskNearlyFull."""
        if (refusal := self.refusal(user_id, text)) is not None:
            raise refusal

    def check(self, user_id: int) -> None:
        """Raise what the next text of this user would be refused with, and count nothing."""
        self.check_disk()
        use = self._up_to_date(user_id)
        if use.messages >= self._messages or use.bytes >= self._bytes:
            raise DailyQuotaUsed(self._wait(use))

    def check_disk(self) -> None:
        """Raises DiskNearlyFull."""
        if self._disk.is_low:
            raise DiskNearlyFull

    def _up_to_date(self, user_id: int) -> _Use:
        now = time.monotonic()
        use = self._users.get(user_id)
        if use is None:
            use = self._users[user_id] = _Use(now)
            if len(self._users) > MAX_USERS:
                del self._users[next(iter(self._users))]
            return use
        passed = now - use.updated
        use.messages = max(0.0, use.messages - passed * self._message_rate)
        use.bytes = max(0.0, use.bytes - passed * self._byte_rate)
        use.updated = now
        return use

    def _wait(self, use: _Use) -> float:
        """Seconds until there is room for one more message, or byte."""
        waits = [
            (used + 1 - most) / rate
            for used, most, rate in (
                (use.messages, self._messages, self._message_rate),
                (use.bytes, self._bytes, self._byte_rate),
            )
            if used >= most
        ]
        return max(waits)
