"""The live events of one room, in the order of their numbers, for every listener of this process."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Protocol

from app.services.access import Membership
from app.websocket.transport import Payload

MAX_BUFFERED_EVENTS = 20_000
"""Events that are buffered for a listener while it catches up; all such listeners share the same bytes. Many, since
after a restart thousands catch up at once while the room goes on. A listener that misses more reads the rest from
the database too: memory stays bounded, however slow it is."""
MAX_BUFFERED_BYTES = 8 << 20
"""The same in bytes: as many ordinary messages fit, while as many long ones would be 640 MB."""


class Listener(Protocol):
    """A connection that listens to a room."""

    user_id: int
    is_behind: bool
    """Whether ephemeral events are to be withheld."""

    @property
    def write(self) -> Callable[[bytes], None] | None:
        """Writes encoded frames synchronously, as long as the listener is subscribed; None if it cannot."""

    def send(self, payload: Payload) -> None: ...


class Subscription:
    """A listener's place in a room. While it catches up, events are buffered; it has everything up to `position`."""

    __slots__ = ("_buffer", "_buffered_bytes", "channel", "listener", "member", "position")

    def __init__(self, channel: "Channel", listener: Listener) -> None:
        self.channel = channel
        self.listener = listener
        self.member: Membership | None = None
        """Known once the subscription is live."""
        self.position: int | None = None
        """None until the listener has caught up with what was there when it subscribed."""
        self._buffer: list[tuple[range, Sequence[int], Payload]] = []
        self._buffered_bytes = 0

    def reaches(self, position: int) -> bool:
        """Whether everything after `position` is in the buffer or still to come.

        If not, the rest has to be read from the database: nothing was buffered before a first listener knew the room's
        position, and a full buffer is dropped. The room never waits for a slow listener.
        """
        head = self.channel.head
        if head is None:
            return True
        first = self._buffer[0][0].start if self._buffer else head + 1
        return first <= position + 1

    def receive(self, span: range, seqs: Sequence[int], events: Payload) -> None:
        """Buffer events that cover these numbers, or, once the listener's position is known, send it those that are new
        to it, in the same bytes that all others get."""
        if self.position is None:
            size = len(events.frames)
            self._buffered_bytes += size
            is_full = self._buffered_bytes > MAX_BUFFERED_BYTES
            if is_full or (self._buffer and span.stop - self._buffer[0][0].start > MAX_BUFFERED_EVENTS):
                self._buffer.clear()
                self._buffered_bytes = size
            if size <= MAX_BUFFERED_BYTES:
                self._buffer.append((span, seqs, events))
        elif self.position + 1 < span.stop:
            known = bisect_right(seqs, self.position)
            if known < len(seqs):
                self.listener.send(Payload(events.bodies[known:]) if known else events)
            self.position = span.stop - 1

    def caught_up(self, position: int) -> int:
        """Send what is buffered, since everything up to `position` has been sent. Returns the new position."""
        self.position = position
        buffered, self._buffer = self._buffer, []
        for events in buffered:
            self.receive(*events)
        return self.position


class Channel:
    """Delivers every number once and in order. Events that arrive early wait for those before them."""

    __slots__ = (
        "_catching_up",
        "_early",
        "_is_cut",
        "_live",
        "_senders",
        "_told",
        "_writes",
        "head",
        "highest_known",
        "room_id",
    )

    def __init__(self, room_id: int) -> None:
        self.room_id = room_id
        self.head: int | None = None
        """The last number delivered; None until a first listener knows the room's position."""
        self.highest_known = 0
        """Delivered or not."""
        self._live: dict[Subscription, Listener] = {}
        self._writes: dict[Subscription, Callable[[bytes], None]] = {}
        """Live listeners that take encoded frames."""
        self._senders: dict[Subscription, Listener] = {}
        """The other live listeners."""
        self._catching_up: dict[Subscription, None] = {}
        self._early: dict[int, Sequence[bytes]] = {}
        self._is_cut = False
        """Whether the last repair was a partial read: see `repair`."""
        self._told = 0, 0
        """The number and the hash of the last event that was reported by its commit and delivered."""

    @property
    def is_empty(self) -> bool:
        return not self._live and not self._catching_up

    @property
    def has_gap(self) -> bool:
        """Whether a number is known that cannot be delivered yet."""
        return self.head is not None and (self.highest_known > self.head or self._is_cut)

    def subscribe(self, listener: Listener) -> Subscription:
        """Start to buffer events for a listener that is about to read the room's position."""
        subscription = Subscription(self, listener)
        self._catching_up[subscription] = None
        return subscription

    def start_at(self, position: int) -> None:
        """Start at the position that a first subscriber has read. From now on events are buffered in each subscription,
        within bounds, and not here."""
        if self.head is None:
            self.head = position
            self._deliver_early()

    def go_live(self, subscription: Subscription, member: Membership, position: int) -> None:
        """Make a subscription live: the listener has everything up to `position`, which its subscription reaches."""
        subscription.member = member
        self.highest_known = max(self.highest_known, position)
        reached = subscription.caught_up(position)
        if self.head is None:
            self.head = reached
        self._deliver_early()
        self._promote()

    def has(self, subscription: Subscription) -> bool:
        return subscription in self._catching_up or subscription in self._live

    def unsubscribe(self, subscription: Subscription) -> None:
        for subscriptions in (self._live, self._writes, self._senders, self._catching_up):
            subscriptions.pop(subscription, None)

    def offer(self, first: int, bodies: Sequence[bytes]) -> bool:
        """Take events with consecutive numbers, from whichever thread or process was first to report them.

        False if the last number that was delivered has been given out again, for another event: the database's history
        went back.
        """
        number, digest = self._told
        if first <= number < first + len(bodies) and hash(bodies[number - first]) != digest:
            return False
        self.highest_known = max(self.highest_known, first + len(bodies) - 1)
        self._early[first] = bodies
        if self.head is not None:
            self._deliver_early()
        return True

    def repair(
        self, position: int, seqs: Sequence[int], bodies: Sequence[bytes], *, is_whole: bool = True
    ) -> None:
        """Deliver what the database has from `head`, at the time of the query, up to `position`.

        There may be fewer events than numbers, since of several changes of one message the database keeps the last. So
        after a partial read an earlier change may be missing, and nothing but the rest of the read may follow it.
        """
        if self.head is not None and position > self.head:
            self._is_cut = not is_whole
            known = bisect_right(seqs, self.head)
            self._deliver(range(self.head + 1, position + 1), seqs[known:], bodies[known:])
            self._deliver_early()

    def broadcast(self, bodies: Sequence[bytes], not_to: int) -> None:
        """Send ephemeral events to the listeners that keep up, except those of the user `not_to`."""
        payload = Payload(bodies)
        for listener in self._live.values():
            if not listener.is_behind and listener.user_id != not_to:
                listener.send(payload)

    def _deliver_early(self) -> None:
        assert self.head is not None
        if self._is_cut:
            return
        for first in sorted(self._early):
            if first > self.head + 1:
                return
            bodies = self._early.pop(first)
            news = bodies[self.head + 1 - first :]
            if news:
                span = range(self.head + 1, self.head + 1 + len(news))
                self._deliver(span, span, news)
                self._told = self.head, hash(news[-1])

    def _deliver(self, span: range, seqs: Sequence[int], bodies: Sequence[bytes]) -> None:
        self.head = span.stop - 1
        payload = Payload(bodies)
        frames = payload.frames
        for write in self._writes.values():  # the innermost loop of the server: one call per listener
            write(frames)
        for listener in self._senders.values():
            listener.send(payload)
        if self._catching_up:
            for subscription in self._catching_up:
                subscription.receive(span, seqs, payload)
            self._promote()

    def _promote(self) -> None:
        """Make subscriptions live that have exactly what was delivered: they need no bookkeeping any more."""
        for subscription in [one for one in self._catching_up if one.position == self.head]:
            del self._catching_up[subscription]
            self._live[subscription] = listener = subscription.listener
            if (write := listener.write) is not None:
                self._writes[subscription] = write
            else:
                self._senders[subscription] = listener
