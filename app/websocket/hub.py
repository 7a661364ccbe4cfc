"""The hub: who listens in this process. Everything that is published passes here, and nothing here ever waits."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from app.core.config import Settings
from app.core.database import Database
from app.core.errors import TooManyRequests
from app.core.logs import log
from app.core.ratelimit import Limiter
from app.schemas.events import Goodbye, Presence, RoomChanged, RoomTold, SessionsEnded
from app.services import changes, watch
from app.services.authority import Authority
from app.services.callers import Caller
from app.services.members import Membership
from app.services.presence import Presences
from app.websocket import codes
from app.websocket.channel import Channel, Subscription

if TYPE_CHECKING:
    from app.websocket.connection import Connection

K = TypeVar("K")

REPAIR_AFTER = 0.05
"""Seconds that an event which came early waits for the one before it, until the database is asked."""
REPAIR_LIMIT = 1000
LOOKS = 500
"""Rooms or sessions that are asked about at once."""


class TooManySockets(TooManyRequests):
    """Too many connections at once from this user or address."""


class Hub:
    def __init__(
        self,
        settings: Settings,
        database: Database,
        authority: Authority,
        presences: Presences,
        pace: Limiter,
    ) -> None:
        self.settings = settings
        self.pace = pace
        self.connections: set[Connection] = set()
        self.stopping = False
        self._empty = asyncio.Event()
        self._empty.set()
        self._database = database
        self._authority = authority
        self._presences = presences
        self._channels: dict[int, Channel] = {}
        self._sessions: defaultdict[str, set[Connection]] = defaultdict(set)
        self._per_user: Counter[int] = Counter()
        self._per_address: Counter[str] = Counter()
        self._behind: set[Connection] = set()
        self._expiries: list[tuple[int, int, Connection]] = []
        self._repairs: dict[int, asyncio.Task[None]] = {}

    # Who is connected

    @contextlib.contextmanager
    def place(self, caller: Caller, address: str) -> Iterator[None]:
        """A place for one connection, for as long as it is there. Raises TooManySockets."""
        per_user, per_address = self.settings.sockets_per_user, self.settings.sockets_per_address
        if per_user and self._per_user[caller.user_id] >= per_user:
            raise TooManySockets
        if per_address and self._per_address[address] >= per_address:
            raise TooManySockets
        self._per_user[caller.user_id] += 1
        self._per_address[address] += 1
        try:
            yield
        finally:
            _count_down(self._per_user, caller.user_id)
            _count_down(self._per_address, address)

    def add(self, connection: Connection) -> None:
        self.connections.add(connection)
        self._empty.clear()
        self._sessions[connection.caller.session_id].add(connection)
        self.expires(connection)

    def remove(self, connection: Connection) -> None:
        """The connection is gone, whatever ended it."""
        connection.leave()
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()
        self._behind.discard(connection)
        session_id = connection.caller.session_id
        self._sessions[session_id].discard(connection)
        if not self._sessions[session_id]:
            del self._sessions[session_id]

    # Who hears what

    def attach(self, connection: Connection, room_id: int) -> Subscription:
        """Begin to keep a room's events for a connection, which then reads where the room stands."""
        channel = self._channels.get(room_id)
        if channel is None:
            channel = self._channels[room_id] = Channel(room_id)
        return channel.attach(connection)

    def go_live(self, subscription: Subscription, member: Membership, position: int) -> None:
        """The connection has been sent everything up to `position`."""
        channel = subscription.channel
        if channel.has(subscription):  # else it left while it was catching up
            channel.go_live(subscription, member, position)
            self._presences.arrive(member)
            self._mend(channel)

    def detach(self, subscription: Subscription) -> None:
        """The connection hears the room no more. May be called again."""
        channel = subscription.channel
        if not channel.has(subscription):
            return
        channel.detach(subscription)
        if subscription.member is not None:
            self._presences.leave(subscription.member, time.monotonic())
        if channel.is_empty:
            del self._channels[channel.room_id]

    # What is told

    def publish(self, announced: Iterable[object]) -> None:
        """Deliver what a transaction announced. The only way in, called after its commit, in the event loop."""
        for what in announced:
            match what:
                case RoomChanged(room_id, first_seq, bodies):
                    if channel := self._channels.get(room_id):
                        channel.offer(first_seq, bodies)
                        self._mend(channel)
                case RoomTold(room_id, body, not_to):
                    self.tell(room_id, body, not_to)
                case SessionsEnded(session_ids):
                    self._authority.forget(session_ids)
                    for session_id in session_ids:
                        self.end_session(session_id)
        if self._behind:
            self._check_slow()

    def tell(self, room_id: int, body: bytes, not_to: int = 0) -> None:
        """An ephemeral event, for those who are here now."""
        if channel := self._channels.get(room_id):
            channel.tell(body, not_to)

    def end_session(self, session_id: str) -> None:
        for connection in list(self._sessions.get(session_id, ())):
            connection.close(codes.UNAUTHORIZED, "the session has ended")

    # Those who fall behind

    def fell_behind(self, connection: Connection) -> None:
        """Its buffer has begun to fill; look after it until it has drained."""
        self._behind.add(connection)

    def _check_slow(self) -> None:
        limit = self.settings.max_send_buffer_bytes
        for connection in list(self._behind):
            waiting = connection.wire.buffered()
            connection.is_behind = waiting > limit // 2
            if waiting > limit:
                log.info("listener.too_slow", user=connection.caller.username, bytes=waiting)
                connection.close(codes.TOO_SLOW, "too slow; come back with since")
            if waiting > limit or not waiting:
                self._behind.discard(connection)

    # Gaps

    def _mend(self, channel: Channel) -> None:
        if channel.has_gap and channel.room_id not in self._repairs:
            task = asyncio.get_running_loop().create_task(self._repair(channel))
            self._repairs[channel.room_id] = task
            task.add_done_callback(lambda _: self._repairs.pop(channel.room_id, None))

    async def _repair(self, channel: Channel) -> None:
        """Wait a moment for what is missing, then read it from the database, which is the truth."""
        await asyncio.sleep(REPAIR_AFTER)
        while channel.has_gap and channel.head is not None:
            found = await self._database.read(changes.since, channel.room_id, channel.head, REPAIR_LIMIT)
            if found.seq <= channel.head:
                return  # what we heard of is not there yet
            channel.repair(found.seq, found.seqs, found.bodies)

    async def look_around(self) -> None:
        """Ask the database what was not heard of: changes of other processes, and a last event that got lost.

        No gap check can see a lost last event, so the heads of all rooms with listeners are compared now and then.
        """
        for some in _batched(list(self._channels), LOOKS):
            for room_id, head in (await self._database.read(watch.heads, some)).items():
                if channel := self._channels.get(room_id):
                    channel.known = max(channel.known, head)
                    self._mend(channel)
        for some_sessions in _batched(list(self._sessions), LOOKS):
            self.publish([SessionsEnded(await self._database.read(watch.ended, some_sessions))])

    # Time

    def tick(self, now: float) -> None:
        """Once a second: tell who came and went, and end the connections whose token has. `now` is monotonic."""
        for room_id, stir in self._presences.stirs(now):
            event = Presence(room_id=room_id, count=stir.count, online=stir.online, offline=stir.offline)
            self.tell(room_id, event.encode())
        self._check_slow()
        today = time.time()
        while self._expiries and self._expiries[0][0] <= today:
            _, _, connection = heapq.heappop(self._expiries)
            if connection.expires_at <= today:
                connection.close(codes.UNAUTHORIZED, "the token has expired")

    def expires(self, connection: Connection) -> None:
        """Watch the end of the connection's token."""
        heapq.heappush(self._expiries, (connection.expires_at, connection.serial, connection))
        if len(self._expiries) > 2 * len(self.connections) + 100:
            # Tokens live for a day, connections for minutes: those that are gone would be kept until the evening.
            self._expiries = [(one.expires_at, one.serial, one) for one in self.connections]
            heapq.heapify(self._expiries)

    def say_goodbye(self) -> None:
        """The server goes away: take no more, and tell everyone when to come back, spread over some time."""
        self.stopping = True
        spread = len(self.connections) / self.settings.reconnect_spread_per_second
        for position, connection in enumerate(self.connections):
            share = position / max(1, len(self.connections))
            after = int(1000 * (0.2 + spread * share))
            connection.stop_reading()
            connection.tell(Goodbye(reconnect_after_ms=after))

    async def close_all(self, patience: float) -> None:
        """Close every connection, and after `patience` seconds cut off those that have not answered."""
        for connection in list(self.connections):
            connection.close(codes.GOING_AWAY, "the server is going away")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), patience)
        for connection in list(self.connections):
            connection.wire.abort()


def _batched(items: list[K], size: int) -> Iterator[list[K]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _count_down(counter: Counter[K], key: K) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
