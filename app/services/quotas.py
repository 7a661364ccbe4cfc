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
MESSAGES_AT_HAND, BYTES_AT_HAND = 64, 65_536
"""What is counted without looking at the clock, which would take four times as long."""


class DailyQuotaUsed(TooManyRequests):
    """You have stored as much as a day allows; try again later."""


class DiskNearlyFull(InsufficientStorage):
    """The disk of the server is nearly full: no new text is stored, while reading and deleting go on."""

    retry_after = 60.0


class _Allowance:
    """What a user may still store: a part at hand, counted without looking at the clock, and the rest of the day's."""

    __slots__ = ("bytes", "bytes_at_hand", "messages", "messages_at_hand", "updated")

    def __init__(self, messages: float, max_bytes: float, now: float) -> None:
        self.messages = messages
        self.bytes = max_bytes
        self.messages_at_hand = 0.0
        self.bytes_at_hand = 0.0
        self.updated = now


class Quotas:
    """Quotas of a day, which may be used at once and come back over a day; 0 is no limit."""

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
        self._users: dict[int, _Allowance] = {}

    @classmethod
    def within(cls, settings: Settings, disk: FreeDisk) -> Self:
        return cls(settings.messages_per_day, settings.text_bytes_per_day, settings.rooms_per_day, disk)

    def refusal(self, user_id: int, text: str) -> AppError | None:
        """Count a text that a user is about to store; or why they may not. Runs for every message."""
        if self._disk.is_low:
            return DiskNearlyFull()
        size = len(text) if text.isascii() else len(text.encode())
        user = self._users.get(user_id)
        if user is not None and user.messages_at_hand >= 1 and user.bytes_at_hand >= size:
            user.messages_at_hand -= 1
            user.bytes_at_hand -= size
            return None
        return self._take(self._up_to_date(user_id), min(size, self._bytes))

    def spend(self, user_id: int, text: str) -> None:
        """The same. Raises DailyQuotaUsed, DiskNearlyFull."""
        if (refusal := self.refusal(user_id, text)) is not None:
            raise refusal

    def check(self, user_id: int) -> None:
        """Raise what any text of this user would be refused with, and count nothing."""
        self.check_disk()
        user = self._up_to_date(user_id)
        if user.messages < 1 or user.bytes < 1:
            raise DailyQuotaUsed(self._wait(user, 1))

    def check_disk(self) -> None:
        """Raises DiskNearlyFull."""
        if self._disk.is_low:
            raise DiskNearlyFull

    def _take(self, user: _Allowance, size: float) -> DailyQuotaUsed | None:
        if user.messages < 1 or user.bytes < size:
            return DailyQuotaUsed(self._wait(user, size))
        user.messages_at_hand = min(user.messages - 1, MESSAGES_AT_HAND)
        user.bytes_at_hand = min(user.bytes - size, BYTES_AT_HAND)
        user.messages -= 1 + user.messages_at_hand
        user.bytes -= size + user.bytes_at_hand
        return None

    def _up_to_date(self, user_id: int) -> _Allowance:
        """The allowance with all that has come back, and nothing at hand."""
        now = time.monotonic()
        user = self._users.get(user_id)
        if user is None:
            user = self._users[user_id] = _Allowance(self._messages, self._bytes, now)
            if len(self._users) > MAX_USERS:
                del self._users[next(iter(self._users))]
            return user
        passed = now - user.updated
        user.messages += user.messages_at_hand + passed * self._message_rate
        user.bytes += user.bytes_at_hand + passed * self._byte_rate
        user.messages, user.bytes = min(user.messages, self._messages), min(user.bytes, self._bytes)
        user.messages_at_hand = user.bytes_at_hand = 0.0
        user.updated = now
        return user

    def _wait(self, user: _Allowance, size: float) -> float:
        """Seconds until there is room for one more message of this size."""
        return max(
            (needed - left) / rate
            for needed, left, rate in (
                (1, user.messages, self._message_rate),
                (size, user.bytes, self._byte_rate),
            )
            if left < needed
        )
