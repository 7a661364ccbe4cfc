"""Beginning to hear a room: all that was missed, then all that comes, or nothing of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from app.core.database import Database, DatabaseUnavailable
from app.core.errors import Conflict
from app.schemas.events import Synced
from app.schemas.fields import Ref
from app.services import changes, members
from app.services.changes import CatchUp, Changes
from app.services.members import RoomNotFound
from app.websocket.channel import Subscription
from app.websocket.connection import Connection


class TooManyRooms(Conflict):
    """This connection listens to as many rooms as it can."""


class ConnectionOver(Conflict):
    """This connection has ended."""


class Listening:
    """Attach first, read what was missed, go live: two steps, so that a caller can say something between them."""

    def __init__(self, database: Database, catch_up_limit: int) -> None:
        self._database = database
        self._limit = catch_up_limit

    async def attach(
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


@contextmanager
def _whole_or_not_at_all(connection: Connection, subscription: Subscription) -> Iterator[None]:
    """Who could not catch up with a room does not hear it."""
    try:
        yield
    except BaseException:
        connection.context.hub.detach(subscription)
        connection.rooms.pop(subscription.channel.room_id, None)
        raise
