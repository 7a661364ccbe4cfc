"""A connection as the rest of the server knows it: a caller, their subscriptions, and a transport to send to them.

The common case, a message to a room the sender listens to, runs straight through: no task, no queue, no wait for the
disk. A command that has to wait (a subscription, an edit) holds back the frames behind it, so that commands take effect
in their order.
"""

import asyncio
import itertools
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from pydantic import ValidationError

from app.core import strict_json
from app.core.config import Settings
from app.core.database.deadlines import asked_at, asked_since
from app.core.errors import AppError, BadRequest
from app.core.logs import log
from app.core.security.audit import Audit, AuditEvent, Client
from app.core.security.rate_limits import RateLimiter, cost
from app.core.strict_json import InvalidJson
from app.schemas import close_codes
from app.schemas.close_codes import Close
from app.schemas.commands import AnyCommand, parse_command
from app.schemas.connections import Error
from app.schemas.fields import Ref
from app.schemas.frames import Event
from app.services.callers import Caller
from app.websocket.connection.command_errors import InvalidCommand, explain, is_utf8, labels
from app.websocket.connection.inbox import BUSY, STOPPING, Inbox
from app.websocket.connection.overuse import SustainedOveruse
from app.websocket.hub.channel import Subscription
from app.websocket.hub.hub import Hub
from app.websocket.hub.registry import Registry
from app.websocket.hub.slow_listeners import SlowListeners
from app.websocket.transport import Payload, Transport

Later = Coroutine[object, None, None]
Dispatch = Callable[["Connection", AnyCommand], Later | None]
"""Carries out a command: at once, or by the coroutine it returns."""

_numbers = itertools.count()


class FrameTooLarge(BadRequest):
    """This frame is larger than the server accepts."""


@dataclass(frozen=True, slots=True)
class ConnectionDeps:
    """The parts of the server that every connection uses."""

    settings: Settings
    hub: Hub
    registry: Registry
    slow_listeners: SlowListeners
    rate_limiter: RateLimiter
    audit: Audit
    dispatch: Dispatch


class Connection:
    __slots__ = (
        "_tasks",
        "address",
        "caller",
        "default_room_id",
        "deps",
        "expires_at",
        "inbox",
        "is_behind",
        "is_over",
        "message_received",
        "number",
        "subscriptions",
        "transport",
        "user_id",
    )

    def __init__(
        self, deps: ConnectionDeps, caller: Caller, address: str, default_room_id: int | None
    ) -> None:
        self.deps = deps
        self.caller = caller
        self.user_id = caller.user_id
        self.number = next(_numbers)
        """Names the connection in logs, and assigns it to one of the slices of the keepalive timer."""
        self.address = address
        self.default_room_id = default_room_id
        """The room of `/ws/chat/{room_id}`; None on `/ws`."""
        self.expires_at = caller.expires_at
        self.subscriptions: dict[int, Subscription] = {}
        """By room id."""
        self.is_behind = False
        self.is_over = False
        """Whether it is closed or lost, and must not start to listen to anything."""
        self.transport: Transport
        self.inbox: Inbox
        self.message_received: Callable[[bytes, bool], None]
        """What the transport calls for each message: the inbox itself, since a method here would be one call more."""
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, transport: Transport) -> None:
        """The handshake is done: read and write over this transport from now on."""
        self.transport = transport
        settings = self.deps.settings
        bucket = self.deps.rate_limiter.bucket(str(self.user_id))
        overuse = SustainedOveruse(settings.commands_per_second, settings.command_burst)
        self.inbox = Inbox(self, transport, bucket, overuse)
        self.message_received = self.inbox.feed

    # Out

    @property
    def write(self) -> Callable[[bytes], None] | None:
        """The transport's own `write`, if it offers one."""
        return self.transport.direct_write

    def send(self, payload: Payload) -> None:
        self.transport.send(payload)

    def send_event(self, event: Event) -> None:
        self.transport.send(Payload([event.encode()]))

    def refuse(self, error: AppError, ref: Ref | None = None, client_id: str | None = None) -> None:
        """Report that a command was not carried out. The connection stays open."""
        wait = None if error.retry_after is None else math.ceil(error.retry_after)
        self.send_event(
            Error(code=error.code, detail=error.detail, retry_after=wait, ref=ref, client_id=client_id)
        )

    def close(self, why: Close) -> None:
        """Stop listening and reading, and start the closing handshake."""
        self.inbox.clear()
        self.stop_listening()
        self.transport.close(why.code, why.reason)

    def stop_listening(self) -> None:
        """End every subscription. May be called again."""
        self.is_over = True
        for subscription in self.subscriptions.values():
            self.deps.hub.unsubscribe(subscription)

    def record(self, event: AuditEvent, **fields: object) -> None:
        """Write to the audit log about the caller."""
        who = self.caller
        whom = {"user": who.username, "user_id": who.user_id, "session": who.session_id}
        self.deps.audit.record(event, Client(self.address, ""), **whom, **fields)

    # In, and what the transport reports: see `core.serving.socket_owner.SocketOwner`

    def control_frames_received(self, count: int) -> None:
        """Count pings, pongs and fragments like commands, since they take as much time."""
        if not self.is_over:
            self.inbox.charge(count)

    def frame_too_large(self) -> None:
        self.refuse(FrameTooLarge())
        self.inbox.charge(cost(self.deps.settings.max_frame_bytes))

    def write_buffer_high(self) -> None:
        self.deps.slow_listeners.watch(self)

    def closing(self) -> None:
        self.stop_listening()

    def connection_lost(self) -> None:
        self.inbox.close()
        self.deps.slow_listeners.forget(self)
        self.deps.registry.remove(self)

    # Commands

    @property
    def is_busy(self) -> bool:
        """Whether something that was read is not carried out and answered yet."""
        return self.inbox.is_busy or bool(self._tasks)

    def stop_reading(self) -> None:
        """Carry out what has been read, and read nothing more: the server is shutting down."""
        self.inbox.hold(STOPPING)

    def run(self, work: Later, ref: Ref | None = None) -> None:
        """Carry out work that has to wait, and let no later frame overtake it."""
        self.inbox.hold(BUSY)
        task = asyncio.get_running_loop().create_task(self._finish(work, ref, asked_at()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def carry_out(self, payload: bytes, is_text: bool) -> None:
        data: object = None
        try:
            data = strict_json.decode(payload)
            command = parse_command(data)
            work = self.deps.dispatch(self, command)
        except InvalidJson as error:
            if is_text and not is_utf8(payload):  # RFC 6455 section 8.1
                self.close(close_codes.INVALID_TEXT)
            else:
                self.refuse(error)
        except ValidationError as error:
            self.refuse(InvalidCommand(explain(error, data)), *labels(data))
        except AppError as error:
            self.refuse(error, *labels(data))
        else:
            if work is not None:
                self.run(work, command.ref)
        self.inbox.charge(cost(len(payload)))

    async def _finish(self, work: Later, ref: Ref | None, read_at: float) -> None:
        counted_from = read_at
        try:
            with asked_since(read_at) as allowance:
                try:
                    await work
                finally:
                    counted_from = allowance.asked_at
        except AppError as error:
            self.refuse(error, ref)
        except Exception:  # noqa: BLE001 - a bug in one command does not end the connection
            log.exception("command.failed", user=self.caller.username, connection=self.number)
            self.refuse(AppError(), ref)
        finally:  # a command that restarted its allowance held the others back for as long
            self.inbox.release(BUSY, counted_from if counted_from > read_at else 0.0)

    def end_overuse(self) -> None:
        self.record(AuditEvent.LIMIT_HIT, limit="COMMANDS_PER_SECOND")
        self.close(close_codes.TOO_FAST)
