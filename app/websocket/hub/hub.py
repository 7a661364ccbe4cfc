"""The hub: which connections of this process listen to which rooms. Nothing here ever waits for a listener."""

import asyncio
import time

from app.core.database import Database, DatabaseUnavailable
from app.schemas.presence import Presence
from app.services import changes
from app.services.access import Membership
from app.services.announcements import DurableEvents, EphemeralEvents
from app.services.presence import PresenceTracker
from app.websocket.hub.channel import Channel, Listener, Subscription

REPAIR_AFTER_SECONDS = 0.05
"""How long an event that came early waits for the one before it, until the database is asked."""
MAX_REPAIR_PAUSE_SECONDS = 5.0
"""The longest pause between two such queries."""
REPAIR_LIMIT = 1000


class Hub:
    def __init__(self, database: Database, presence: PresenceTracker) -> None:
        self._database = database
        self._presence = presence
        self._channels: dict[int, Channel] = {}
        self._repairs: dict[Channel, asyncio.Task[None]] = {}

    # Listeners

    def subscribe(self, listener: Listener, room_id: int) -> Subscription:
        """Start to buffer a room's events for a listener, which then reads where the room stands."""
        channel = self._channels.get(room_id)
        if channel is None:
            channel = self._channels[room_id] = Channel(room_id)
        return channel.subscribe(listener)

    def go_live(self, subscription: Subscription, member: Membership, position: int) -> None:
        """The listener has been sent everything up to `position`."""
        channel = subscription.channel
        if channel.has(subscription):  # else it left while it was catching up
            channel.go_live(subscription, member, position)
            self._presence.arrive(member)
            self._repair_if_needed(channel)

    def unsubscribe(self, subscription: Subscription) -> None:
        """The listener hears the room no more. May be called again."""
        channel = subscription.channel
        if not channel.has(subscription):
            return
        channel.unsubscribe(subscription)
        if subscription.member is not None:
            self._presence.leave(subscription.member, time.monotonic())
        if channel.is_empty:
            del self._channels[channel.room_id]

    # Events

    def deliver(self, events: DurableEvents) -> None:
        """Durable events, after their commit, from whichever thread or process was first to report them."""
        if channel := self._channels.get(events.room_id):
            channel.offer(events.first_seq, events.bodies)
            self._repair_if_needed(channel)

    def broadcast(self, events: EphemeralEvents) -> None:
        """Ephemeral events, for the listeners of this moment."""
        if channel := self._channels.get(events.room_id):
            channel.broadcast(events.bodies, events.not_to)

    def announce_presence(self, now: float) -> None:
        """Once a second: who came and who left. `now` is monotonic."""
        for room_id, change in self._presence.changes(now):
            event = Presence(
                room_id=room_id, count=change.count, online=change.online, offline=change.offline
            )
            self.broadcast(EphemeralEvents(room_id, [event.encode()], not_to=0))

    # Gaps

    @property
    def room_ids(self) -> list[int]:
        """The rooms that have listeners."""
        return list(self._channels)

    def note_head(self, room_id: int, head: int) -> None:
        """The database has changes of the room up to `head`, whether this process has heard of them or not."""
        if channel := self._channels.get(room_id):
            channel.highest_known = max(channel.highest_known, head)
            self._repair_if_needed(channel)

    def _repair_if_needed(self, channel: Channel) -> None:
        if channel.has_gap and channel not in self._repairs:
            self._repairs[channel] = asyncio.get_running_loop().create_task(self._repair(channel))

    async def _repair(self, channel: Channel) -> None:
        try:
            await self._close_gap(channel)
        finally:
            del self._repairs[
                channel
            ]  # not in a callback, which runs later: a gap of that moment would be missed

    async def _close_gap(self, channel: Channel) -> None:
        """Wait a moment for what is missing, then read it from the database, which is the truth.

        While the database is away, or does not have it yet, ask again after twice the time, as long as the room has
        listeners.
        """
        pause = REPAIR_AFTER_SECONDS
        await asyncio.sleep(pause)
        while channel.has_gap and self._channels.get(channel.room_id) is channel:
            if await self._read_on(channel):
                pause = REPAIR_AFTER_SECONDS
            else:
                pause = min(2 * pause, MAX_REPAIR_PAUSE_SECONDS)
                await asyncio.sleep(pause)

    async def _read_on(self, channel: Channel) -> bool:
        """Deliver what the database has after the channel's last number. Returns whether there was anything."""
        head = channel.head or 0
        try:
            found = await self._database.read(changes.since, channel.room_id, head, REPAIR_LIMIT)
        except DatabaseUnavailable:
            return False
        channel.repair(found.seq, found.seqs, found.bodies, is_whole=not found.truncated)
        return found.seq > head
