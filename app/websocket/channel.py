"""One room, as far as this process listens to it: its events in the order of their numbers, to all who are here."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Protocol

from app.services.access import Membership
from app.websocket.transport import Payload

KEPT = 20_000
"""Events that wait for a listener while it catches up; all who do wait for the same bytes. Many, since after a restart
thousands read at once while the room goes on. If there are more, it reads them too: memory stays bounded, however slow
somebody is."""
CACHE_BYTES = 8 << 20
"""The same in bytes: as many ordinary messages need no more, while as many long ones would be 640 MB."""


class Listener(Protocol):
    """Somebody who hears a room."""

    user_id: int
    is_behind: bool
    """Whether ephemeral events should be spared."""

    @property
    def write(self) -> Callable[[bytes], None] | None:
        """Takes finished frames without another thought, as long as it listens; None if there is no such way."""

    def send(self, payload: Payload) -> None: ...


class Subscription:
    """A listener's place in a room. While it catches up, events wait; `position` is what it has."""

    __slots__ = ("_waiting", "_weight", "channel", "listener", "member", "position")

    def __init__(self, channel: "Channel", listener: Listener) -> None:
        self.channel = channel
        self.listener = listener
        self.member: Membership | None = None
        """Known once it is live."""
        self.position: int | None = None
        self._waiting: list[tuple[range, Sequence[int], Payload]] = []
        self._weight = 0

    def reaches(self, position: int) -> bool:
        """Whether everything after `position` waits here or is still to come.

        Not so if others were faster (nothing was kept until one of them knew where the room stands) or if it was too
        much: that has to be read from the database. The room goes on meanwhile; nobody waits for the slow.
        """
        head = self.channel.head
        if head is None:
            return True
        first = self._waiting[0][0].start if self._waiting else head + 1
        return first <= position + 1

    def take(self, span: range, seqs: Sequence[int], events: Payload) -> None:
        """Pass on what is news of the events that cover these numbers, once it is known what is. All of it goes as the
        bytes that the others get."""
        if self.position is None:
            weight = len(events.frames)
            self._weight += weight
            if self._weight > CACHE_BYTES or (self._waiting and span.stop - self._waiting[0][0].start > KEPT):
                self._waiting.clear()
                self._weight = weight
            if weight <= CACHE_BYTES:
                self._waiting.append((span, seqs, events))
        elif self.position + 1 < span.stop:
            known = bisect_right(seqs, self.position)
            if known < len(seqs):
                self.listener.send(Payload(events.bodies[known:]) if known else events)
            self.position = span.stop - 1

    def caught_up(self, position: int) -> int:
        """Everything up to `position` has been sent: pass on what has come since. Returns where that leads."""
        self.position = position
        waiting, self._waiting = self._waiting, []
        for events in waiting:
            self.take(*events)
        return self.position


class Channel:
    """Delivers every number once and in order. Numbers that come early wait for those before them."""

    __slots__ = (
        "_early",
        "_is_cut",
        "_joining",
        "_live",
        "_slow_ways",
        "_writes",
        "head",
        "known",
        "room_id",
    )

    def __init__(self, room_id: int) -> None:
        self.room_id = room_id
        self.head: int | None = None
        """The last number delivered; None until somebody knows where the room stands."""
        self.known = 0
        """The highest number heard of."""
        self._live: dict[Subscription, Listener] = {}
        self._writes: dict[Subscription, Callable[[bytes], None]] = {}
        self._slow_ways: dict[Subscription, Listener] = {}
        self._joining: dict[Subscription, None] = {}
        self._early: dict[int, Sequence[bytes]] = {}
        self._is_cut = False
        """Whether what was delivered ends in the middle of what the database had, as `repair` says."""

    @property
    def is_empty(self) -> bool:
        return not self._live and not self._joining

    @property
    def has_gap(self) -> bool:
        """Whether a number has been heard of that cannot be delivered yet."""
        return self.head is not None and (self.known > self.head or self._is_cut)

    def attach(self, listener: Listener) -> Subscription:
        """Begin to keep events for a listener that is about to read where the room stands."""
        subscription = Subscription(self, listener)
        self._joining[subscription] = None
        return subscription

    def stands_at(self, position: int) -> None:
        """Somebody who is attached has read that the room is there. From now on what comes waits with each listener,
        within bounds, and not here, for as long as they like to catch up."""
        if self.head is None:
            self.head = position
            self._deliver_early()

    def go_live(self, subscription: Subscription, member: Membership, position: int) -> None:
        """The listener has everything up to `position`, which its subscription reaches."""
        subscription.member = member
        self.known = max(self.known, position)
        reached = subscription.caught_up(position)
        if self.head is None:
            self.head = reached
        self._deliver_early()
        self._promote()

    def has(self, subscription: Subscription) -> bool:
        return subscription in self._joining or subscription in self._live

    def detach(self, subscription: Subscription) -> None:
        for them in (self._live, self._writes, self._slow_ways, self._joining):
            them.pop(subscription, None)

    def offer(self, first: int, bodies: Sequence[bytes]) -> None:
        """Events with consecutive numbers, from whichever thread or node was first to report them."""
        self.known = max(self.known, first + len(bodies) - 1)
        self._early[first] = bodies
        if self.head is not None:
            self._deliver_early()

    def repair(
        self, position: int, seqs: Sequence[int], bodies: Sequence[bytes], *, is_whole: bool = True
    ) -> None:
        """What the database has up to `position`, from what was `head` when it was asked.

        There may be fewer events than numbers: of several changes of one message it knows the last. So if that is not
        the whole of what it has, an earlier change may be missing, and only the rest of it may follow.
        """
        if self.head is not None and position > self.head:
            self._is_cut = not is_whole
            known = bisect_right(seqs, self.head)
            self._deliver(range(self.head + 1, position + 1), seqs[known:], bodies[known:])
            self._deliver_early()

    def tell(self, bodies: Sequence[bytes], not_to: int) -> None:
        """Ephemeral events, for those who keep up."""
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

    def _deliver(self, span: range, seqs: Sequence[int], bodies: Sequence[bytes]) -> None:
        self.head = span.stop - 1
        payload = Payload(bodies)
        frames = payload.frames
        for write in self._writes.values():  # the innermost loop of the product: one call for each listener
            write(frames)
        for listener in self._slow_ways.values():
            listener.send(payload)
        if self._joining:
            for subscription in self._joining:
                subscription.take(span, seqs, payload)
            self._promote()

    def _promote(self) -> None:
        """Those who have exactly what was delivered need no bookkeeping any more."""
        for subscription in [known for known in self._joining if known.position == self.head]:
            del self._joining[subscription]
            self._live[subscription] = listener = subscription.listener
            if (write := listener.write) is not None:
                self._writes[subscription] = write
            else:
                self._slow_ways[subscription] = listener
