"""The commands, one small function each: may they, do it, answer."""

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from app.core.clock import rfc3339
from app.core.database import Database, DatabaseUnavailable
from app.core.errors import BadRequest, ChatError, Conflict
from app.core.logs import log
from app.core.ratelimit import Limiter, TooFast
from app.core.tokens import InvalidToken
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
from app.schemas.events import Ack, Pong, Synced, UserTyping
from app.schemas.fields import Ref
from app.services import changes, members, messages, reactions
from app.services.authority import Authority
from app.services.changes import CatchUp, Changes
from app.services.ledger import Draft, Ledger, Outcome
from app.services.marks import Mark, Marks
from app.services.members import Membership, RoomNotFound
from app.websocket.channel import Subscription
from app.websocket.connection import CATCH_UP_SECONDS, Connection

Later = Coroutine[Any, Any, None]

TYPING_SECONDS = 2.0
"""Between two `typing` events of a user in a room. Clients repeat it every 3 seconds at most: honest ones lose none."""


class RoomMissing(BadRequest):
    """On this connection a command names its room: `room_id`."""


class NotSubscribed(Conflict):
    """Subscribe to this room first."""


class TooManyRooms(Conflict):
    """This connection listens to as many rooms as it can."""


class ConnectionOver(Conflict):
    """This connection has ended."""


class OtherSession(InvalidToken):
    """The new token belongs to another login."""


class Commands:
    """Carries out commands. What is at hand is done at once; what has to wait comes back as a coroutine."""

    def __init__(
        self, database: Database, ledger: Ledger, marks: Marks, authority: Authority, catch_up_limit: int
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._marks = marks
        self._authority = authority
        self._limit = catch_up_limit
        self._typists = Limiter(1 / TYPING_SECONDS, burst=1)

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
        return None

    # Messages

    def _send(self, connection: Connection, command: SendMessage) -> Later | None:
        subscription = connection.rooms.get(command.room_id or connection.home or 0)
        if subscription is None or subscription.member is None:
            return self._enter_and_send(connection, command)
        self._submit(connection, subscription.member, command)
        return None

    async def _enter_and_send(self, connection: Connection, command: SendMessage) -> None:
        try:
            room_id = _room_id(connection, command)
            member = await self._ledger.admit(connection.caller, room_id, command.reply_to)
        except ChatError as error:
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
        subscription = connection.rooms.get(command.room_id or connection.home or 0)
        if subscription is None or subscription.member is None:
            return self._enter_and_read(connection, command)
        self._mark(connection, subscription.member, command)
        return None

    async def _enter_and_read(self, connection: Connection, command: Read) -> None:
        member = await self._member(connection, command)
        if not member.has_joined:  # a mark belongs to a member
            member = await self._database.write(members.enter, connection.caller, member.room_id)
        self._mark(connection, member, command)

    def _mark(self, connection: Connection, member: Membership, command: Read) -> None:
        connection.departed()
        answer = partial(_answer_mark, connection, command, member.room_id)
        self._marks.submit(Mark(member.room_id, member.user_id, member.username, command.id, answer))

    # Listening

    async def listen(
        self, connection: Connection, room_id: int, since: int | None
    ) -> tuple[Subscription, CatchUp]:
        """Attach, join if need be, read. What happens meanwhile is kept for `begin`: no hole by construction.

        Raises RoomNotFound, TooManyRooms, ConnectionOver.
        """
        if connection.is_over:
            raise ConnectionOver
        if previous := connection.rooms.pop(room_id, None):
            connection.context.hub.detach(previous)
        if len(connection.rooms) >= connection.context.settings.rooms_per_socket:
            raise TooManyRooms
        subscription = connection.rooms[room_id] = connection.context.hub.attach(connection, room_id)
        with _whole_or_not_at_all(connection, subscription):
            caught = await self._catch_up(connection, room_id, since)
            if caught is None:
                await self._database.write(members.enter, connection.caller, room_id)
                caught = await self._catch_up(connection, room_id, since)
            if caught is None:
                raise RoomNotFound
        subscription.channel.stands_at(caught.last_seq)
        return subscription, caught

    async def begin(
        self,
        connection: Connection,
        subscription: Subscription,
        caught: CatchUp,
        *,
        synced: bool,
        ref: Ref | None = None,
    ) -> None:
        """Send what was missed, say so, and go live, or hear nothing of it. Raises TooSlow, DatabaseUnavailable."""
        with _whole_or_not_at_all(connection, subscription):
            if caught.truncated:
                caught = await self._look_again(connection, subscription, caught)
                position = caught.last_seq
            else:
                async with connection.within(CATCH_UP_SECONDS):
                    position = await self._send_missed(connection, subscription, caught.changes)
        if synced:
            connection.tell(
                Synced(
                    room_id=subscription.channel.room_id,
                    seq=position,
                    last_message_id=caught.last_message_id,
                    last_read_id=caught.last_read_id,
                    truncated=caught.truncated,
                    ref=ref,
                )
            )
        connection.context.hub.go_live(subscription, caught.member, position)

    async def _send_missed(self, connection: Connection, subscription: Subscription, page: Changes) -> int:
        """Send a page and all that come after it, until the subscription has the rest. Returns where that leads.

        Page by page: a listener that does not read holds no more than one.
        """
        await connection.send_all(page.bodies)
        while page.truncated or not subscription.reaches(page.seq):
            room_id, position = subscription.channel.room_id, page.seq
            page = await self._database.read(changes.since, room_id, position, changes.PAGE)
            if page.seq <= position:
                raise DatabaseUnavailable  # it stands before what was told: it has been put back
            await connection.send_all(page.bodies)
        return page.seq

    async def _look_again(
        self, connection: Connection, subscription: Subscription, caught: CatchUp
    ) -> CatchUp:
        """The same for who missed too much to be sent: only where the room stands."""
        if subscription.reaches(caught.last_seq):
            return caught
        now = await self._catch_up(connection, subscription.channel.room_id, None)
        if now is None or not subscription.reaches(now.last_seq):
            raise DatabaseUnavailable
        return replace(now, truncated=True)

    async def _catch_up(self, connection: Connection, room_id: int, since: int | None) -> CatchUp | None:
        return await changes.begin(self._database, connection.caller, room_id, since, self._limit)

    async def _subscribe(self, connection: Connection, command: Subscribe) -> None:
        subscription, caught = await self.listen(connection, _room_id(connection, command), command.since)
        await self.begin(connection, subscription, caught, synced=True, ref=command.ref)

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

    async def _member(self, connection: Connection, command: RoomCommand) -> Membership:
        """What the sender is in the room of a command, joined or not. Raises RoomNotFound."""
        room_id = _room_id(connection, command)
        subscription = connection.rooms.get(room_id)
        if subscription is not None and subscription.member is not None:
            return subscription.member
        return await members.current(self._database, connection.caller, room_id)


@contextmanager
def _whole_or_not_at_all(connection: Connection, subscription: Subscription) -> Iterator[None]:
    """Who could not catch up with a room does not hear it."""
    try:
        yield
    except BaseException:
        connection.context.hub.detach(subscription)
        connection.rooms.pop(subscription.channel.room_id, None)
        raise


def _room_id(connection: Connection, command: RoomCommand) -> int:
    room_id = command.room_id or connection.home
    if room_id is None:
        raise RoomMissing
    return room_id


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
    if not isinstance(error, ChatError):
        log.error("command.failed", user=connection.caller.username, error=repr(error))
        error = ChatError()
    connection.refuse(error, command.ref, client_id)
