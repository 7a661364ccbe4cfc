"""The hub: who listens in this process. Everything that is published passes here, and nothing here ever waits."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, assert_never

from app.core.database import Database, DatabaseUnavailable
from app.schemas.events import Presence
from app.services import changes, rooms, sessions
from app.services.access import Membership
from app.services.announcements import Announcement, DurableEvents, EphemeralEvents, SessionsEnded
from app.services.presence import PresenceTracker
from app.services.token_verifier import TokenVerifier
from app.websocket.channel import Channel, Listener, Subscription
from app.websocket.registry import Registry

K = TypeVar("K")

REPAIR_AFTER = 0.05
"""Seconds that an event which came early waits for the one before it, until the database is asked."""
MAX_PAUSE = 5.0
"""Seconds until the database is asked again at the latest."""
REPAIR_LIMIT = 1000
LOOKS = 500
"""Rooms or sessions that are asked about at once."""


class Hub:
    def __init__(
        self, database: Database, authority: TokenVerifier, presences: PresenceTracker, registry: Registry
    ) -> None:
        self._database = database
        self._authority = authority
        self._presences = presences
        self._registry = registry
        self._channels: dict[int, Channel] = {}
        self._repairs: dict[Channel, asyncio.Task[None]] = {}

    # Who hears what

    def attach(self, listener: Listener, room_id: int) -> Subscription:
        """Begin to keep a room's events for a listener, which then reads where the room stands."""
        channel = self._channels.get(room_id)
        if channel is None:
            channel = self._channels[room_id] = Channel(room_id)
        return channel.attach(listener)

    def go_live(self, subscription: Subscription, member: Membership, position: int) -> None:
        """The listener has been sent everything up to `position`."""
        channel = subscription.channel
        if channel.has(subscription):  # else it left while it was catching up
            channel.go_live(subscription, member, position)
            self._presences.arrive(member)
            self._mend(channel)

    def detach(self, subscription: Subscription) -> None:
        """The listener hears the room no more. May be called again."""
        channel = subscription.channel
        if not channel.has(subscription):
            return
        channel.detach(subscription)
        if subscription.member is not None:
            self._presences.leave(subscription.member, time.monotonic())
        if channel.is_empty:
            del self._channels[channel.room_id]

    # What is told

    def publish(self, announced: Iterable[Announcement]) -> None:
        """Deliver what a transaction announced. The only way in, called after its commit, in the event loop."""
        for what in announced:
            match what:
                case DurableEvents(room_id, first_seq, bodies):
                    if channel := self._channels.get(room_id):
                        channel.offer(first_seq, bodies)
                        self._mend(channel)
                case EphemeralEvents(room_id, bodies, not_to):
                    self.tell(room_id, bodies, not_to)
                case SessionsEnded(session_ids):
                    self._authority.forget(session_ids)
                    self._registry.end_sessions(session_ids)
                case _:
                    assert_never(what)
        self._registry.check_slow(time.monotonic())

    def tell(self, room_id: int, bodies: Sequence[bytes], not_to: int = 0) -> None:
        """Ephemeral events, for those who are here now."""
        if channel := self._channels.get(room_id):
            channel.tell(bodies, not_to)

    # Gaps

    def _mend(self, channel: Channel) -> None:
        if channel.has_gap and channel not in self._repairs:
            task = asyncio.get_running_loop().create_task(self._repair(channel))
            self._repairs[channel] = task
            task.add_done_callback(lambda _: self._repairs.pop(channel))

    async def _repair(self, channel: Channel) -> None:
        """Wait a moment for what is missing, then read it from the database, which is the truth.

        If that is away, or has not got it yet, again after twice the time, for as long as somebody listens.
        """
        pause = REPAIR_AFTER
        await asyncio.sleep(pause)
        while channel.has_gap and self._channels.get(channel.room_id) is channel:
            if await self._read_on(channel):
                pause = REPAIR_AFTER
            else:
                pause = min(2 * pause, MAX_PAUSE)
                await asyncio.sleep(pause)

    async def _read_on(self, channel: Channel) -> bool:
        """Deliver what the database has after the channel's last number. Returns whether that led on."""
        head = channel.head or 0
        try:
            found = await self._database.read(changes.since, channel.room_id, head, REPAIR_LIMIT)
        except DatabaseUnavailable:
            return False
        channel.repair(found.seq, found.seqs, found.bodies, is_whole=not found.truncated)
        return found.seq > head

    async def look_around(self) -> None:
        """Ask the database what was not heard of: changes of other processes, and a last event that got lost.

        No gap check can see a lost last event, so the heads of all rooms with listeners are compared now and then.
        """
        for some in _batched(list(self._channels), LOOKS):
            for room_id, head in (await self._database.read(rooms.heads, some)).items():
                if channel := self._channels.get(room_id):
                    channel.known = max(channel.known, head)
                    self._mend(channel)
        for some_sessions in _batched(self._registry.sessions, LOOKS):
            self.publish([SessionsEnded(await self._database.read(sessions.ended, some_sessions))])

    def tick(self, now: float) -> None:
        """Once a second: tell who came and went. `now` is monotonic."""
        for room_id, stir in self._presences.stirs(now):
            event = Presence(room_id=room_id, count=stir.count, online=stir.online, offline=stir.offline)
            self.tell(room_id, [event.encode()])


def _batched(items: list[K], size: int) -> Iterator[list[K]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
