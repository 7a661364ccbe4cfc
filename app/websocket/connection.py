"""One client's connection: frames in, one command after the other; events out.

The common case, a message to a room one is in, runs straight through: no task, no queue, no wait for the disk. What
has to wait (a subscription, an edit) holds back the frames behind it, so that commands take effect in their order.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.core import strict_json
from app.core.config import Settings
from app.core.errors import AppError, BadRequest
from app.core.logs import log
from app.core.security.rate_limits import RateLimiter
from app.core.serving.admission import AdmissionQueue
from app.core.strict_json import InvalidJson
from app.schemas import close_codes
from app.schemas.close_codes import Close
from app.schemas.commands import COMMAND_ADAPTER, AnyCommand
from app.schemas.events import Error, Event
from app.schemas.fields import Ref
from app.services.callers import Caller
from app.websocket.channel import Subscription
from app.websocket.hub import Hub
from app.websocket.patience import SustainedOveruse
from app.websocket.registry import Registry
from app.websocket.transport import Payload, Transport
from app.websocket.unreadable import InvalidCommand, explain, is_utf8, labels

BUSY, THROTTLED, FULL, STOPPING = 1, 2, 4, 8
"""Why frames are held back: a command waits for something; the user is too fast; too much is on its way to disk;
the server is going away."""
MAX_IN_FLIGHT = 256
"""Messages of one connection that may be on their way to the disk at once."""
PORTION_SECONDS = 60.0
"""Within which a listener has to take a portion of its catch-up."""
CATCH_UP_SECONDS = 300.0
"""And all of them, however long the room goes on meanwhile: events wait for it. The most that a catch-up is, a thousand
changes of 32 kB, takes so long at 110 kB/s. Who comes back goes on from what it has."""


class FrameTooLarge(BadRequest):
    """This frame is larger than the server takes."""


Dispatch = Callable[["Connection", AnyCommand], Coroutine[Any, Any, None] | None]
"""How a command is carried out: at once, or by the coroutine that comes back."""

_serials = itertools.count()


class TooSlow(AppError):
    """You read more slowly than there is to tell."""


@dataclass(frozen=True, slots=True)
class ConnectionDeps:
    """What every connection of this process works with."""

    settings: Settings
    hub: Hub
    registry: Registry
    pace: RateLimiter
    dispatch: Dispatch
    turnstile: AdmissionQueue
    """Where those who catch up stand in line."""


class Connection:
    __slots__ = (
        "_backlog",
        "_bucket",
        "_held_since",
        "_held_until",
        "_holds",
        "_in_flight",
        "_patience",
        "_tasks",
        "address",
        "caller",
        "context",
        "expires_at",
        "home",
        "is_behind",
        "is_over",
        "rooms",
        "serial",
        "user_id",
        "wire",
    )

    def __init__(self, context: ConnectionDeps, caller: Caller, address: str, home: int | None) -> None:
        self.context = context
        self.caller = caller
        self.user_id = caller.user_id
        self.serial = next(_serials)
        self.address = address
        self.home = home
        """The room of `/ws/chat/{room_id}`; None on `/ws`."""
        self.expires_at = caller.expires_at
        self.rooms: dict[int, Subscription] = {}
        self.is_behind = False
        self.is_over = False
        """Whether it is closed or lost, and must not begin to hear anything."""
        self.wire: Transport
        self._bucket = context.pace.bucket(str(caller.user_id))
        self._backlog: deque[tuple[bytes, bool]] = deque()
        self._holds = 0
        self._held_since = self._held_until = 0.0
        self._in_flight = 0
        self._patience = SustainedOveruse(
            context.settings.commands_per_second, context.settings.command_burst
        )
        self._tasks: set[asyncio.Task[None]] = set()

    # Out

    @property
    def write(self) -> Callable[[bytes], None] | None:
        """The shortest way to the peer."""
        return self.wire.direct

    def send(self, payload: Payload) -> None:
        self.wire.send(payload)

    def tell(self, event: Event) -> None:
        self.wire.send(Payload([event.encode()]))

    async def send_all(self, portions: Sequence[Payload]) -> None:
        """Send much without falling behind, nor keeping others waiting: each portion in its turn and when there is
        room for it. Raises TooSlow."""
        for portion in portions:
            await self.context.turnstile.turn()
            if self.is_over:
                raise TooSlow
            self.send(portion)
            async with self.within(PORTION_SECONDS):
                await self.wire.drained()

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """Close a listener for whom this takes longer. Raises TooSlow."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            self.close(close_codes.TOO_SLOW)
            raise TooSlow from None

    def refuse(self, error: AppError, ref: Ref | None = None, client_id: str | None = None) -> None:
        """Say that a command was not carried out. The connection stays."""
        self.tell(Error(code=error.code, detail=error.detail, ref=ref, client_id=client_id))

    def close(self, why: Close) -> None:
        """Stop listening and reading, and end the connection."""
        self._backlog.clear()
        self.leave()
        self.wire.close(why.code, why.reason)

    def leave(self) -> None:
        """Hear nothing more. May be called again."""
        self.is_over = True
        for subscription in self.rooms.values():
            self.context.hub.detach(subscription)

    def fell_behind(self) -> None:
        self.context.registry.fell_behind(self)

    def lost(self) -> None:
        """The peer is gone."""
        self._backlog.clear()
        self.context.registry.remove(self)

    # In

    @property
    def is_busy(self) -> bool:
        """Whether something that was read is not carried out and answered yet."""
        return bool(self._backlog or self._tasks or self._in_flight)

    def feed(self, payload: bytes, is_text: bool) -> None:
        """Take a frame from the client."""
        if self._holds & STOPPING:
            return  # what comes after the goodbye is for the next server
        if self._holds or self._backlog:
            self._backlog.append((payload, is_text))
        else:
            self._take(payload, is_text)

    def oversize(self) -> None:
        self.refuse(FrameTooLarge())

    def disturbed(self, count: int) -> None:
        """Whoever floods us with pings is read more slowly too."""
        if not self.is_over:
            self._pace(count)

    def hold(self, reason: int) -> None:
        """Take no more frames until `release`."""
        self._holds |= reason
        self.wire.pause_reading()

    def release(self, reason: int) -> None:
        self._holds &= ~reason
        while self._backlog and not self._holds & ~STOPPING:
            self._take(*self._backlog.popleft())
        if not self._holds:
            self.wire.resume_reading()

    def stop_reading(self) -> None:
        """The server is going away: what has been read is carried out, and nothing more is read."""
        self.hold(STOPPING)

    def run(self, work: Coroutine[Any, Any, None], ref: Ref | None = None) -> None:
        """Carry out something that has to wait, and let no later frame overtake it."""
        self.hold(BUSY)
        task = asyncio.get_running_loop().create_task(self._finish(work, ref))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def departed(self) -> None:
        """A message is on its way to the disk."""
        self._in_flight += 1
        if self._in_flight >= MAX_IN_FLIGHT:
            self.hold(FULL)

    def arrived(self) -> None:
        """A message is on disk, or refused."""
        self._in_flight -= 1
        if self._holds & FULL and self._in_flight <= MAX_IN_FLIGHT // 2:
            self.release(FULL)

    def _take(self, payload: bytes, is_text: bool) -> None:
        data: Any = None
        try:
            data = strict_json.decode(payload)
            command = COMMAND_ADAPTER.validate_python(data)
            work = self.context.dispatch(self, command)
        except InvalidJson as error:
            if is_text and not is_utf8(payload):  # RFC 6455 section 8.1
                self.close(close_codes.INVALID_TEXT)
            else:
                self.refuse(error)
        except ValidationError as error:
            self.refuse(InvalidCommand(explain(error)), *labels(data))
        except AppError as error:
            self.refuse(error, *labels(data))
        else:
            if work is not None:
                self.run(work, command.ref)
        self._pace()

    async def _finish(self, work: Coroutine[Any, Any, None], ref: Ref | None) -> None:
        try:
            await work
        except AppError as error:
            self.refuse(error, ref)
        except Exception:  # noqa: BLE001 - a bug in one command is not the end of the connection
            log.exception("command.failed", user=self.caller.username)
            self.refuse(AppError(), ref)
        self.release(BUSY)

    def _pace(self, count: int = 1) -> None:
        """Read a client that is too fast more slowly. Nothing is refused; only whoever never lets up is closed."""
        now = time.monotonic()
        debt = self._bucket.take(now, count)
        if not debt:
            return
        if self._patience.is_over(now, count):
            self.close(close_codes.TOO_FAST)
            return
        if not self._holds & THROTTLED:
            self._held_since = now
        self._held_until = now + debt
        self.hold(THROTTLED)
        asyncio.get_running_loop().call_later(debt, self._go_on, self._held_until)

    def _go_on(self, until: float) -> None:
        if until == self._held_until:  # else pings that came in the same piece have made it longer
            self._patience.was_held(time.monotonic() - self._held_since)
            self.release(THROTTLED)
