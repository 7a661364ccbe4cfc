"""The incoming frames of one client: carried out one after the other, or held back for a reason."""

import asyncio
import time
from collections import deque
from typing import Protocol

from app.core.database.deadlines import asked_since
from app.core.security.rate_limits import Bucket
from app.websocket.connection.overuse import SustainedOveruse
from app.websocket.transport import Transport

MAX_IN_FLIGHT = 256
"""Messages of one connection that may be on their way to the disk at once."""


BUSY, THROTTLED, FULL, STOPPING = 1, 2, 4, 8
"""Why frames are held back: a command waits for something, and no later one may overtake it; the user sends commands
too fast; too many messages are on their way to the disk; the server is shutting down."""


class InboxOwner(Protocol):
    def carry_out(self, payload: bytes, is_text: bool) -> None:
        """Carry out a frame."""

    def end_overuse(self) -> None:
        """The client never slows down: close the connection."""


class _NoOwner:
    """Owns the inboxes of lost connections."""

    def carry_out(self, payload: bytes, is_text: bool) -> None: ...
    def end_overuse(self) -> None: ...


_NO_OWNER = _NoOwner()


class Inbox:
    """Passes frames to its owner in their order."""

    __slots__ = (
        "_backlog",
        "_bucket",
        "_held_since",
        "_held_until",
        "_holds",
        "_in_flight",
        "_overuse",
        "_owner",
        "_transport",
        "_unthrottled_at",
    )

    def __init__(
        self, owner: InboxOwner, transport: Transport, bucket: Bucket, overuse: SustainedOveruse
    ) -> None:
        """`bucket` is shared by all connections of the user, `overuse` judges this one."""
        self._owner = owner
        self._transport = transport
        self._bucket = bucket
        self._overuse = overuse
        self._backlog: deque[tuple[bytes, bool, float]] = deque()
        """Frames, and when they were read."""
        self._holds = 0
        self._held_since = self._held_until = self._unthrottled_at = 0.0
        self._in_flight = 0

    @property
    def is_busy(self) -> bool:
        """Whether something that was read is not carried out yet, or not on disk."""
        return bool(self._backlog or self._in_flight)

    def feed(self, payload: bytes, is_text: bool) -> None:
        """Take a frame from the client."""
        if self._holds & STOPPING:
            return  # a client sends what follows the goodbye to the next server
        if self._holds or self._backlog:
            self._backlog.append((payload, is_text, time.monotonic()))
        else:
            self._owner.carry_out(payload, is_text)

    def hold(self, reason: int) -> None:
        """Carry out no more frames until `release`."""
        self._holds |= reason
        self._transport.pause_reading()

    def release(self, reason: int, not_before: float = 0.0) -> None:
        """Carry out what waits. Its time counts from `not_before` on, if it was read earlier."""
        self._unthrottled_at = max(self._unthrottled_at, not_before)
        self._holds &= ~reason
        while self._backlog and not self._holds & ~STOPPING:
            payload, is_text, read_at = self._backlog.popleft()
            # What a command waited for those before it counts; what it waited because it came too fast does not.
            with asked_since(max(read_at, self._unthrottled_at)):
                self._owner.carry_out(payload, is_text)
        if not self._holds:
            self._transport.resume_reading()

    def departed(self) -> None:
        """Note that a message is on its way to the disk."""
        self._in_flight += 1
        if self._in_flight >= MAX_IN_FLIGHT:
            self.hold(FULL)

    def arrived(self) -> None:
        """Note that a message is on disk, or refused."""
        self._in_flight -= 1
        if self._holds & FULL and self._in_flight <= MAX_IN_FLIGHT // 2:
            self.release(FULL)

    def charge(self, count: int = 1) -> None:
        """Count frames against the rate limit. A client that is too fast is read more slowly; nothing is refused."""
        now = time.monotonic()
        debt = self._bucket.spend(now, count)
        if not debt:
            return
        if self._overuse.is_sustained(now, count):
            self._owner.end_overuse()
            return
        if not self._holds & THROTTLED:
            self._held_since = now
        self._held_until = now + debt
        self.hold(THROTTLED)
        asyncio.get_running_loop().call_later(debt, self._end_throttling, self._held_until)

    def clear(self) -> None:
        """Drop the frames that wait."""
        self._backlog.clear()

    def close(self) -> None:
        """Drop the frames that wait and release the owner: the connection is lost."""
        self._backlog.clear()
        self._owner = _NO_OWNER

    def _end_throttling(self, until: float) -> None:
        if until == self._held_until:  # else later frames of the same read have prolonged it
            self._unthrottled_at = time.monotonic()
            self._overuse.was_held(self._unthrottled_at - self._held_since)
            self.release(THROTTLED)
