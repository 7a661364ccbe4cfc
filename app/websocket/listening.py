"""Beginning to hear a room: all that was missed, then all that comes, or nothing of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.core.database import Database, DatabaseUnavailable
from app.core.errors import Conflict
from app.schemas.events import Synced
from app.schemas.fields import Ref
from app.services import access, members
from app.services.access import Membership, RoomNotFound, RoomView
from app.websocket.channel import Subscription
from app.websocket.connection import CATCH_UP_SECONDS, Connection
from app.websocket.pages import Page, Pages


class TooManyRooms(Conflict):
    """This connection listens to as many rooms as it can."""


class ConnectionOver(Conflict):
    """This connection has ended."""


@dataclass(frozen=True, slots=True)
class PreparedSubscription:
    """All that a listener needs to begin."""

    subscription: Subscription
    room: RoomView
    member: Membership
    missed: Page | None
    """The first page; None if that was too much, or `since` lies in the future (a restored backup)."""


class Subscriber:
    """Attach first, read what was missed, go live: two steps, so that a caller can say something between them."""

    def __init__(self, database: Database, pages: Pages) -> None:
        self._database = database
        self._pages = pages

    async def attach(self, connection: Connection, room_id: int, since: int | None) -> PreparedSubscription:
        """Attach, join if need be, read. What happens meanwhile is kept for `begin`: no hole by construction.

        Raises RoomNotFound, TooManyRooms, ConnectionOver, DatabaseUnavailable.
        """
        if connection.is_over:
            raise ConnectionOver
        if previous := connection.rooms.pop(room_id, None):
            connection.context.hub.detach(previous)
        if len(connection.rooms) >= connection.context.settings.rooms_per_socket:
            raise TooManyRooms
        subscription = connection.rooms[room_id] = connection.context.hub.attach(connection, room_id)
        with _whole_or_not_at_all(connection, subscription):
            room = await access.room_view(self._database, connection.caller, room_id)
            if room.member is None:
                await self._database.write(members.enter, connection.caller, room_id)
                room = await access.room_view(self._database, connection.caller, room_id)
            if room.member is None:
                raise RoomNotFound
            subscription.channel.stands_at(room.last_seq)
            missed = await self._missed(room, since)
        return PreparedSubscription(subscription, room, room.member, missed)

    async def begin(
        self, connection: Connection, start: PreparedSubscription, *, synced: bool, ref: Ref | None = None
    ) -> None:
        """Send what was missed, say so, and go live, or hear nothing of it. Raises TooSlow, DatabaseUnavailable."""
        subscription, room = start.subscription, start.room
        with _whole_or_not_at_all(connection, subscription):
            if start.missed is None:
                room = await self._look_again(connection, subscription, room)
                position = room.last_seq
            else:
                async with connection.within(CATCH_UP_SECONDS):
                    position = await self._send_missed(connection, subscription, start.missed)
        if synced:
            connection.tell(
                Synced(
                    room_id=room.id,
                    seq=position,
                    last_message_id=room.last_message_id,
                    last_read_id=room.last_read_id,
                    truncated=start.missed is None,
                    ref=ref,
                )
            )
        connection.context.hub.go_live(subscription, start.member, position)

    async def _missed(self, room: RoomView, since: int | None) -> Page | None:
        if since is None or since == room.last_seq:
            return Page([], room.last_seq)
        if since > room.last_seq:
            return None
        return await self._pages.first(room.id, since, room.last_seq)

    async def _send_missed(self, connection: Connection, subscription: Subscription, page: Page) -> int:
        """Send a page and all that come after it, until the subscription has the rest. Returns where that leads.

        Page by page: a listener that does not read holds no more than one. Within what a page was read from, it has to
        go on by pages: they say of a message what became of it last, so that what happened to it before may be missing
        where they are cut.
        """
        await connection.send_all(page.portions)
        while page.seq < page.as_of or not subscription.reaches(page.seq):
            position = page.seq
            page = await self._pages.next(subscription.channel.room_id, position)
            if page.seq <= position:
                raise DatabaseUnavailable  # it stands before what was told: it has been put back
            await connection.send_all(page.portions)
        return page.seq

    async def _look_again(
        self, connection: Connection, subscription: Subscription, room: RoomView
    ) -> RoomView:
        """The same for who missed too much to be sent: only where the room stands."""
        if subscription.reaches(room.last_seq):
            return room
        now = await access.room_view(self._database, connection.caller, room.id)
        if not subscription.reaches(now.last_seq):
            raise DatabaseUnavailable
        return now


@contextmanager
def _whole_or_not_at_all(connection: Connection, subscription: Subscription) -> Iterator[None]:
    """Who could not catch up with a room does not hear it."""
    try:
        yield
    except BaseException:
        connection.context.hub.detach(subscription)
        connection.rooms.pop(subscription.channel.room_id, None)
        raise
