"""Stand-ins for what a connection has around it, which record what reaches them. Each fits a Protocol of the app."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.schemas.close_codes import Close
from app.schemas.frames import Event
from app.services.callers import Caller
from app.websocket.transport import Payload, Transport

CALLER = Caller(user_id=1, username="ann", session_id="session", created_at=0, expires_at=0)

_numbers = itertools.count(1000)


def bodies_of(frames: bytes) -> list[bytes]:
    """The payloads of unmasked text frames (RFC 6455 section 5.2)."""
    bodies = []
    start = 0
    while start < len(frames):
        length, start = frames[start + 1], start + 2
        if length > 125:
            wide = 2 if length == 126 else 8
            length, start = int.from_bytes(frames[start : start + wide], "big"), start + wide
        bodies.append(frames[start : start + length])
        start += length
    return bodies


def seq_of(body: bytes) -> int:
    """The number of a durable event."""
    seq: int = json.loads(body)["seq"]
    return seq


async def eventually(is_so: Callable[[], bool], timeout: float = 10.0) -> None:
    """Return once this is so. Raises TimeoutError."""
    async with asyncio.timeout(timeout):
        while not is_so():
            await asyncio.sleep(0.005)


class RecordingListener:
    """A `channel.Listener` that records the number of every event it hears."""

    def __init__(
        self, number_of: Callable[[bytes], int] = int, *, takes_frames: bool = False, user_id: int = 1
    ) -> None:
        self.user_id = user_id
        self.is_behind = False
        self.write: Callable[[bytes], None] | None = self._take_frames if takes_frames else None
        self.heard: list[int] = []
        self.closes: list[Close] = []
        self._number_of = number_of

    def send(self, payload: Payload) -> None:
        self.heard.extend(map(self._number_of, payload.bodies))

    def close(self, why: Close) -> None:
        self.closes.append(why)

    def _take_frames(self, frames: bytes) -> None:
        self.heard.extend(map(self._number_of, bodies_of(frames)))


class RecordingTransport:
    """A `Transport` to a peer that takes everything, or after `stalls_after` events nothing more."""

    direct_write = None

    def __init__(self, stalls_after: int | None = None) -> None:
        self.bodies: list[bytes] = []
        self.waiting = 0
        """Bytes that the peer has not taken yet."""
        self.is_aborted = False
        self.answers_pings = True
        self.close_code: int | None = None
        self._stalls_after = stalls_after
        self._is_reading = True

    def is_reading(self) -> bool:
        return self._is_reading

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def send(self, payload: Payload) -> None:
        self.bodies += payload.bodies

    def buffered(self) -> int:
        return self.waiting

    async def drained(self) -> None:
        if self._stalls_after is not None and len(self.bodies) > self._stalls_after:
            await asyncio.get_running_loop().create_future()

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        self._is_reading = True

    def close(self, code: int, _reason: str) -> None:
        self.close_code = code

    def abort(self) -> None:
        self.is_aborted = True

    def ping(self) -> bool:
        return self.answers_pings


class RecordingPeer:
    """A connection as `registry.Peer` and `slow_listeners.SlowListener` see it, which records what it is told."""

    def __init__(
        self,
        number: int | None = None,
        *,
        caller: Caller = CALLER,
        address: str = "192.0.2.1",
        on_close: Callable[["RecordingPeer"], None] = lambda _: None,
    ) -> None:
        self.caller = caller
        self.address = address
        self.number = next(_numbers) if number is None else number
        self.expires_at = caller.expires_at
        self.is_behind = False
        self.has_work = False
        self.busy_checks = 0
        """How often it was asked whether it is busy."""
        self.is_reading = True
        self.is_listening = True
        self.events: list[Event] = []
        self.close_code: int | None = None
        self.closes: list[Close] = []
        self.recorded = RecordingTransport()
        self.transport: Transport = self.recorded
        self._on_close = on_close

    @property
    def is_busy(self) -> bool:
        self.busy_checks += 1
        return self.has_work

    def send_event(self, event: Event) -> None:
        self.events.append(event)

    def stop_reading(self) -> None:
        self.is_reading = False

    def stop_listening(self) -> None:
        self.is_listening = False

    def close(self, why: Close) -> None:
        self.closes.append(why)
        self.close_code = why.code
        self._on_close(self)


class ManualClock:
    """`time.monotonic` and the time of the event loop, which stand still until a test moves them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    async def advance(self, seconds: float) -> None:
        """Let this much time pass, and let every timer run that is due by then."""
        self.now += seconds
        for _ in range(3):
            await asyncio.sleep(0)
