"""The commands, one small function each: may they, do it, answer."""

from collections.abc import Coroutine
from functools import partial
from typing import Any, assert_never

from app.core.clock import rfc3339
from app.core.database import Database
from app.core.errors import AppError, BadRequest, Conflict
from app.core.logs import log
from app.core.security.rate_limits import RateLimiter, TooFast
from app.core.security.tokens import InvalidToken
from app.schemas.commands import (
    AddReaction,
    AnyCommand,
    Command,
    DeleteMessage,
    EditMessage,
    Ping,
    Read,
    RemoveReaction,
    Renew,
    RoomCommand,
    SendMessage,
    Subscribe,
    Typing,
    Unsubscribe,
)
from app.schemas.events import Ack, Pong, UserTyping
from app.services import access, members, messages, reactions
from app.services.access import Membership
from app.services.ledger import Draft, Ledger, Outcome
from app.services.receipts import Receipt, Receipts
from app.services.token_verifier import TokenVerifier
from app.websocket.channel import Subscription
from app.websocket.connection import Connection
from app.websocket.listening import Subscriber

Later = Coroutine[Any, Any, None]

TYPING_SECONDS = 2.0
"""Between two `typing` events of a user in a room. Clients repeat it every 3 seconds at most: honest ones lose none."""


class RoomMissing(BadRequest):
    """On this connection a command names its room: `room_id`."""


class NotSubscribed(Conflict):
    """Subscribe to this room first."""


class OtherSession(InvalidToken):
    """The new token belongs to another login."""


class Commands:
    """Carries out commands. What is at hand is done at once; what has to wait comes back as a coroutine."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        marks: Receipts,
        authority: TokenVerifier,
        listening: Subscriber,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._marks = marks
        self._authority = authority
        self._listening = listening
        self._typists = RateLimiter(1 / TYPING_SECONDS, burst=1)

    def __call__(self, connection: Connection, command: AnyCommand) -> Later | None:
        match command:
            case SendMessage():
                return self._send(connection, command)
            case Typing():
                self._typing(connection, command)
            case Ping(ref=ref):
                connection.tell(Pong(ref=ref))
            case EditMessage(id=id, content=content):
                return self._change(connection, command, messages.edit, id, content)
            case DeleteMessage(id=id):
                return self._change(connection, command, messages.delete, id)
            case AddReaction(id=id, emoji=emoji):
                return self._change(connection, command, reactions.add, id, emoji)
            case RemoveReaction(id=id, emoji=emoji):
                return self._change(connection, command, reactions.remove, id, emoji)
            case Read():
                return self._read(connection, command)
            case Subscribe():
                return self._subscribe(connection, command)
            case Unsubscribe():
                self._unsubscribe(connection, command)
            case Renew():
                return self._renew(connection, command)
            case _:
                assert_never(command)
        return None

    # Messages

    def _send(self, connection: Connection, command: SendMessage) -> Later | None:
        member = _member_at_hand(connection, command)
        if member is None:
            return self._enter_and_send(connection, command)
        self._submit(connection, member, command)
        return None

    async def _enter_and_send(self, connection: Connection, command: SendMessage) -> None:
        try:
            room_id = _room_id(connection, command)
            member = await self._ledger.admit(connection.caller, room_id, command.reply_to)
        except AppError as error:
            connection.refuse(error, command.ref, command.client_id)
        else:
            self._submit(connection, member, command)

    def _submit(self, connection: Connection, member: Membership, command: SendMessage) -> None:
        connection.departed()
        answer = partial(_answer, connection, command)
        self._ledger.submit(
            Draft(
                member.room_id,
                member.user_id,
                member.username,
                command.content,
                command.client_id,
                command.reply_to,
                answer,
            )
        )

    async def _change(self, connection: Connection, command: RoomCommand, work: Any, *args: Any) -> None:
        member = await self._member(connection, command)
        seq = await self._database.write(work, member, *args)
        _acknowledge(connection, command, room_id=member.room_id, id=args[0], seq=seq)

    async def _member(self, connection: Connection, command: RoomCommand) -> Membership:
        """What the sender is in the room of a command, joined or not. Raises RoomNotFound."""
        if (member := _member_at_hand(connection, command)) is not None:
            return member
        return await access.participation(self._database, connection.caller, _room_id(connection, command))

    # What is not kept, or only as a mark

    def _typing(self, connection: Connection, command: Typing) -> None:
        room_id, caller = _subscription(connection, command).channel.room_id, connection.caller
        try:
            self._typists.take(f"{room_id} {caller.user_id}")
        except TooFast:
            return  # everybody was told a moment ago
        typing = UserTyping(room_id=room_id, user=caller.username, user_id=caller.user_id)
        connection.context.hub.tell(room_id, [typing.encode()], not_to=caller.user_id)

    def _read(self, connection: Connection, command: Read) -> Later | None:
        """A mark may take its time; it holds nothing back."""
        member = _member_at_hand(connection, command)
        if member is None:
            return self._enter_and_read(connection, command)
        self._mark(connection, member, command)
        return None

    async def _enter_and_read(self, connection: Connection, command: Read) -> None:
        member = await self._member(connection, command)
        if not member.has_joined:  # a mark belongs to a member
            member = await self._database.write(members.enter, connection.caller, member.room_id)
        self._mark(connection, member, command)

    def _mark(self, connection: Connection, member: Membership, command: Read) -> None:
        connection.departed()
        answer = partial(_answer_mark, connection, command, member.room_id)
        self._marks.submit(Receipt(member.room_id, member.user_id, member.username, command.id, answer))

    # Subscriber

    async def _subscribe(self, connection: Connection, command: Subscribe) -> None:
        room_id = _room_id(connection, command)
        start = await self._listening.attach(connection, room_id, command.since)
        await self._listening.begin(connection, start, synced=True, ref=command.ref)

    def _unsubscribe(self, connection: Connection, command: Unsubscribe) -> None:
        subscription = _subscription(connection, command)
        connection.context.hub.detach(subscription)
        del connection.rooms[subscription.channel.room_id]
        _acknowledge(connection, command, room_id=subscription.channel.room_id)

    # The login

    async def _renew(self, connection: Connection, command: Renew) -> None:
        caller = await self._authority.caller(command.token)
        if caller.session_id != connection.caller.session_id:
            raise OtherSession
        connection.expires_at = caller.expires_at
        connection.context.registry.watch_expiry(connection)
        _acknowledge(connection, command, expires_at=rfc3339(caller.expires_at * 1000))


def _room_id(connection: Connection, command: RoomCommand) -> int:
    room_id = command.room_id or connection.home
    if room_id is None:
        raise RoomMissing
    return room_id


def _member_at_hand(connection: Connection, command: RoomCommand) -> Membership | None:
    """What the sender is in the room of a command, if that need not be asked: they hear it."""
    subscription = connection.rooms.get(command.room_id or connection.home or 0)
    return None if subscription is None else subscription.member


def _subscription(connection: Connection, command: RoomCommand) -> Subscription:
    subscription = connection.rooms.get(_room_id(connection, command))
    if subscription is None:
        raise NotSubscribed
    return subscription


def _acknowledge(connection: Connection, command: Command, **done: Any) -> None:
    if command.ref is not None:
        connection.tell(Ack(ref=command.ref, **done))


def _answer(connection: Connection, command: SendMessage, outcome: Outcome) -> None:
    """Tell the sender what became of a message, if there is a name to tell it by."""
    connection.arrived()
    if isinstance(outcome, Exception):
        _refuse(connection, command, outcome, command.client_id)
    elif command.ref is not None or command.client_id is not None:
        message = outcome.message
        connection.tell(
            Ack(
                ref=command.ref,
                client_id=command.client_id,
                room_id=message["room_id"],
                id=message["id"],
                seq=message["seq"],
                created_at=message["created_at"],
                duplicate=outcome.duplicate,
            )
        )


def _answer_mark(connection: Connection, command: Read, room_id: int, outcome: int | Exception) -> None:
    """Tell the reader where the mark is now."""
    connection.arrived()
    if isinstance(outcome, Exception):
        _refuse(connection, command, outcome)
    else:
        _acknowledge(connection, command, room_id=room_id, id=outcome)


def _refuse(
    connection: Connection, command: RoomCommand, error: Exception, client_id: str | None = None
) -> None:
    if not isinstance(error, AppError):
        log.error("command.failed", user=connection.caller.username, error=repr(error))
        error = AppError()
    connection.refuse(error, command.ref, client_id)
