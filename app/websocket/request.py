"""A command on its way through a handler, with its connection and the services that handlers call."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.core.database import Database
from app.core.errors import AppError, BadRequest, Conflict
from app.core.logs import log
from app.core.security.rate_limits import RateLimiter
from app.schemas.connections import Ack
from app.schemas.frames import Command, RoomCommand
from app.services import access
from app.services.access import Membership
from app.services.ledger import Ledger
from app.services.quotas import Quotas
from app.services.receipts import Receipts
from app.services.token_verifier import TokenVerifier
from app.websocket.catch_up.subscribe import Subscriber
from app.websocket.connection import Connection
from app.websocket.hub.channel import Subscription

C = TypeVar("C", bound=Command)
R = TypeVar("R", bound=RoomCommand)


class RoomMissing(BadRequest):
    """On this connection a command names its room: `room_id`."""


class NotSubscribed(Conflict):
    """Subscribe to this room first."""


@dataclass(frozen=True, slots=True)
class HandlerDeps:
    """The services that handlers call."""

    database: Database
    ledger: Ledger
    quotas: Quotas
    receipts: Receipts
    token_verifier: TokenVerifier
    subscriber: Subscriber
    typing_limiter: RateLimiter


class Request(Generic[C]):
    __slots__ = ("command", "connection", "deps")

    def __init__(self, deps: HandlerDeps, connection: Connection, command: C) -> None:
        self.deps = deps
        self.connection = connection
        self.command = command

    def acknowledge(self, **done: Any) -> None:
        """Answer with `ack`, if the client gave the command a `ref`."""
        if self.command.ref is not None:
            self.connection.send_event(Ack(ref=self.command.ref, **done))

    def refuse(self, error: Exception, client_id: str | None = None) -> None:
        """Answer with `error`. An error that is a bug is logged, and the client learns no more than that."""
        if not isinstance(error, AppError):
            user, number = self.connection.caller.username, self.connection.number
            log.error("command.failed", user=user, connection=number, exc_info=error)
            error = AppError()
        self.connection.refuse(error, self.command.ref, client_id)


class RoomRequest(Request[R]):
    __slots__ = ()

    def room_id(self) -> int:
        """Raises RoomMissing."""
        room_id = self.command.room_id or self.connection.default_room_id
        if room_id is None:
            raise RoomMissing
        return room_id

    def cached_member(self) -> Membership | None:
        """The sender's membership, if they listen to the room: no query is needed."""
        subscriptions = self.connection.subscriptions
        subscription = subscriptions.get(self.command.room_id or self.connection.default_room_id or 0)
        return None if subscription is None else subscription.member

    async def member(self) -> Membership:
        """The sender's membership in the room, joined or not. Raises RoomNotFound, RoomMissing, DatabaseUnavailable."""
        if (member := self.cached_member()) is not None:
            return member
        return await access.participation(self.deps.database, self.connection.caller, self.room_id())

    def subscription(self) -> Subscription:
        """Raises NotSubscribed, RoomMissing."""
        subscription = self.connection.subscriptions.get(self.room_id())
        if subscription is None:
            raise NotSubscribed
        return subscription
