"""The hub: which connections of this process listen to which rooms. Nothing here ever waits for a listener."""

import time

from app.core.database import Database
from app.schemas.presence import Presence
from app.services.access import Membership
from app.services.announcements import DurableEvents, EphemeralEvents
from app.services.epochs import CurrentEpoch
from app.services.presence import PresenceTracker
from app.websocket.hub.channel import Channel, Listener, Subscription
from app.websocket.hub.gap_repair import GapRepair


class Hub:
    def __init__(self, database: Database, presence: PresenceTracker, epoch: CurrentEpoch) -> None:
        self._presence = presence
        self._epoch = epoch
        self._channels: dict[int, Channel] = {}
        self._gap_repair = GapRepair(
            database, epoch, lambda channel: self._channels.get(channel.room_id) is channel
        )

    # Listeners

    def subscribe(self, listener: Listener, room_id: int) -> Subscription:
        """Start to buffer a room's events for a listener, which then reads the room's position."""
        channel = self._channels.get(room_id)
        if channel is None:
            channel = self._channels[room_id] = Channel(room_id)
        return channel.subscribe(listener)

    def go_live(self, subscription: Subscription, member: Membership, position: int) -> None:
        """Make a subscription live: its listener has been sent everything up to `position`."""
        channel = subscription.channel
        if channel.has(subscription):  # else it left while it was catching up
            channel.go_live(subscription, member, position)
            self._presence.arrive(member)
            self._gap_repair.start_if_needed(channel)

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription. May be called again."""
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
        """Deliver durable events after their commit, from whichever thread or process was first to report them."""
        if not self._epoch.is_current(events.epoch):
            return  # they are caught up with, or are of another history
        if channel := self._channels.get(events.room_id):
            if not channel.offer(events.first_seq, events.bodies):
                self._epoch.contradict()
            self._gap_repair.start_if_needed(channel)

    def broadcast(self, events: EphemeralEvents) -> None:
        """Send ephemeral events to the current listeners."""
        if channel := self._channels.get(events.room_id):
            channel.broadcast(events.bodies, events.not_to)

    def announce_presence(self, now: float) -> None:
        """Announce, once a second, the users who came and left. `now` is monotonic."""
        for room_id, change in self._presence.changes(now):
            event = Presence(
                room_id=room_id, count=change.count, online=change.online, offline=change.offline
            )
            self.broadcast(EphemeralEvents(room_id, [event.encode()], not_to=0))

    # Heads

    @property
    def heads(self) -> dict[int, int]:
        """The rooms that have listeners, and the last number that these were told."""
        return {room_id: channel.head or 0 for room_id, channel in self._channels.items()}

    def note_head(self, room_id: int, head: int) -> None:
        """Note that the database has changes of the room up to `head`, known to this process or not."""
        if channel := self._channels.get(room_id):
            channel.highest_known = max(channel.highest_known, head)
            self._gap_repair.start_if_needed(channel)
