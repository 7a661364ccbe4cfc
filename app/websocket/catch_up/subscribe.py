"""Subscriptions that catch up: everything that was missed, then everything that follows, or nothing at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from app.core.database import Database, DatabaseUnavailable
from app.core.database.deadlines import restart_allowance
from app.core.errors import Conflict
from app.core.serving.admission import AdmissionQueue
from app.schemas.fields import Ref
from app.schemas.subscriptions import Synced
from app.services import access, epochs, members
from app.services.access import Membership, RoomNotFound, RoomView
from app.services.epochs import CurrentEpoch
from app.websocket.catch_up.pages import Page, Pages
from app.websocket.catch_up.sending import CATCH_UP_SECONDS, send_portions, within
from app.websocket.connection import Connection
from app.websocket.hub.channel import Subscription


class TooManyRooms(Conflict):
    """This connection already listens to as many rooms as it can."""


class ConnectionOver(Conflict):
    """This connection has ended."""


class Since(NamedTuple):
    """What a client has of a room: everything up to `seq` of an epoch, if it names one."""

    seq: int
    epoch: str | None


@dataclass(frozen=True, slots=True)
class PreparedSubscription:
    """A subscription whose events are being buffered, and what has to be sent before them."""

    subscription: Subscription
    room: RoomView
    member: Membership
    missed: Page | None
    """The first page; None if the client missed too much, or what it has is of another history."""


class Subscriber:
    """Subscribes first, reads what was missed, then goes live: in two steps, so that a caller can send something in
    between."""

    def __init__(
        self, database: Database, pages: Pages, admission: AdmissionQueue, epoch: CurrentEpoch
    ) -> None:
        self._database = database
        self._epoch = epoch
        self._pages = pages
        self._admission = admission

    async def prepare(
        self, connection: Connection, room_id: int, since: Since | None
    ) -> PreparedSubscription:
        """Subscribe, join if need be, and read. Events are buffered from the start, so there can be no hole.

        Raises RoomNotFound, TooManyRooms, ConnectionOver, DatabaseUnavailable.
        """
        if connection.is_over:
            raise ConnectionOver
        hub = connection.deps.hub
        if previous := connection.subscriptions.pop(room_id, None):
            hub.unsubscribe(previous)
        if len(connection.subscriptions) >= connection.deps.settings.rooms_per_socket:
            raise TooManyRooms
        subscription = connection.subscriptions[room_id] = hub.subscribe(connection, room_id)
        with _undone_on_failure(connection, subscription):
            room = await access.room_view(self._database, connection.caller, room_id)
            if room.member is None:
                await self._database.write_in_turn(room_id, members.enter, connection.caller, room_id)
                room = await access.room_view(self._database, connection.caller, room_id)
            if room.member is None:
                raise RoomNotFound
            if not self._epoch.is_current(room.epoch):
                raise DatabaseUnavailable
            if connection.is_over:
                raise ConnectionOver
            subscription.channel.start_at(room.last_seq)
            missed = await self._first_page(room, since)
        return PreparedSubscription(subscription, room, room.member, missed)

    async def go_live(
        self, connection: Connection, prepared: PreparedSubscription, *, synced: bool, ref: Ref | None = None
    ) -> None:
        """Send what was missed, confirm it with `synced`, and go live; on failure the subscription ends.

        Raises TooSlow, DatabaseUnavailable.
        """
        subscription, room = prepared.subscription, prepared.room
        with _undone_on_failure(connection, subscription):
            if prepared.missed is None:
                room = await self._current_view(connection, subscription, room)
                position = room.last_seq
            else:
                async with within(connection, CATCH_UP_SECONDS):
                    position = await self._send_missed(connection, prepared, prepared.missed)
        if synced:
            connection.send_event(
                Synced(
                    room_id=room.id,
                    seq=position,
                    epoch=room.epoch,
                    last_message_id=room.last_message_id,
                    last_read_id=room.last_read_id,
                    truncated=prepared.missed is None,
                    ref=ref,
                )
            )
        connection.deps.hub.go_live(subscription, prepared.member, position)

    async def _first_page(self, room: RoomView, since: Since | None) -> Page | None:
        if since is None:
            return Page([], room.last_seq)
        if since.seq > room.last_seq:
            return None
        is_old = since.epoch not in (None, room.epoch)
        if is_old and not await self._database.read(epochs.continues, room.id, since.seq, str(since.epoch)):
            return None
        if since.seq == room.last_seq:
            return Page([], room.last_seq)
        return await self._pages.first(room.id, since.seq, room.last_seq)

    async def _send_missed(self, connection: Connection, prepared: PreparedSubscription, page: Page) -> int:
        """Send a page and all that follow it, until the buffer has the rest. Returns the position reached.

        Page by page, so that a listener that does not read costs the memory of one page. Up to the room's position when
        a page was read, the next page has to be read too, even if the buffer has those events: pages contain only the
        last change of a message, so where they are cut an earlier change may be missing.
        """
        subscription, room = prepared.subscription, prepared.room
        await send_portions(connection, page.portions, self._admission)
        restart_allowance()  # the listener took its time
        while page.seq < page.as_of or not subscription.reaches(page.seq):
            position = page.seq
            page = await self._pages.next(room.id, position)
            if page.seq <= position:
                raise DatabaseUnavailable  # a restored backup put the room back
            await send_portions(connection, page.portions, self._admission)
            restart_allowance()
        return page.seq

    async def _current_view(
        self, connection: Connection, subscription: Subscription, room: RoomView
    ) -> RoomView:
        """The view of a room for a client too far behind: it only learns the room's position."""
        if subscription.reaches(room.last_seq):
            return room
        now = await access.room_view(self._database, connection.caller, room.id)
        if not subscription.reaches(now.last_seq) or not self._epoch.is_current(now.epoch):
            raise DatabaseUnavailable
        return now


@contextmanager
def _undone_on_failure(connection: Connection, subscription: Subscription) -> Iterator[None]:
    """Unsubscribe a listener that could not catch up with the room."""
    try:
        yield
    except BaseException:
        connection.deps.hub.unsubscribe(subscription)
        connection.subscriptions.pop(subscription.channel.room_id, None)
        raise
