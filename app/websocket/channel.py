"""One room, as far as this process listens to it: its events in the order of their numbers, to all who are here."""

from collections.abc import Callable, Sequence
from typing import Protocol

from app.services.members import Membership
from app.websocket.wire import Payload


class Listener(Protocol):
    """Somebody who hears a room."""

    user_id: int
    is_behind: bool
    """Whether ephemeral events should be spared."""

    write: Callable[[bytes], None] | None
    """Takes finished frames without another thought; None if there is no such way."""

    def send(self, payload: Payload) -> None: ...


class Subscription:
    """A listener's place in a room. While it catches up, events wait; `position` is what it has."""

    __slots__ = ("_waiting", "channel", "listener", "member", "position")

    def __init__(self, channel: "Channel", listener: Listener) -> None:
        self.channel = channel
        self.listener = listener
        self.member: Membership | None = None
        """Known once it is live."""
        self.position: int | None = None
        self._waiting: list[tuple[int, int, Sequence[bytes]]] = []

    def take(self, first: int, last: int, bodies: Sequence[bytes]) -> None:
        """Pass events on if they are news, once it is known what is."""
        if self.position is None:
            self._waiting.append((first, last, bodies))
        elif last > self.position:
            known = self.position + 1 - first
            # A repair has fewer events than numbers; it tells how things stand, and hearing that twice does no harm.
            whole = len(bodies) == last - first + 1
            self.listener.send(Payload(bodies[known:] if whole and known > 0 else bodies))
            self.position = last

    def caught_up(self, position: int) -> None:
        """Everything up to `position` has been sent: pass on what has come since."""
        self.position = position
        waiting, self._waiting = self._waiting, []
        for first, last, bodies in waiting:
            self.take(first, last, bodies)


class Channel:
    """Delivers every number once and in order. Numbers that come early wait for those before them."""

    __slots__ = ("_early", "_joining", "_live", "_slow_ways", "_writes", "head", "known", "room_id")

    def __init__(self, room_id: int) -> None:
        self.room_id = room_id
        self.head: int | None = None
        """The last number delivered; None until the first listener knows where the room stands."""
        self.known = 0
        """The highest number heard of."""
        self._live: dict[Subscription, Listener] = {}
        self._writes: dict[Subscription, Callable[[bytes], None]] = {}
        self._slow_ways: dict[Subscription, Listener] = {}
        self._joining: dict[Subscription, None] = {}
        self._early: dict[int, Sequence[bytes]] = {}

    @property
    def is_empty(self) -> bool:
        return not self._live and not self._joining

    @property
    def has_gap(self) -> bool:
        """Whether a number has been heard of that cannot be delivered yet."""
        return self.head is not None and self.known > self.head

    def attach(self, listener: Listener) -> Subscription:
        """Begin to keep events for a listener that is about to read where the room stands."""
        subscription = Subscription(self, listener)
        self._joining[subscription] = None
        return subscription

    def go_live(self, subscription: Subscription, member: Membership, position: int) -> None:
        """The listener has everything up to `position`."""
        subscription.member = member
        subscription.caught_up(position)
        if self.head is None:
            self.head = position
        self.known = max(self.known, position)
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

    def repair(self, position: int, bodies: Sequence[bytes]) -> None:
        """What the database has between `head` and `position`."""
        if self.head is not None and position > self.head:
            self._deliver(self.head + 1, position, bodies)
            self._deliver_early()

    def tell(self, body: bytes, not_to: int) -> None:
        """An ephemeral event, for those who keep up."""
        payload = Payload([body])
        for listener in self._live.values():
            if not listener.is_behind and listener.user_id != not_to:
                listener.send(payload)

    def _deliver_early(self) -> None:
        while self._early:
            first = min(self._early)
            assert self.head is not None
            if first > self.head + 1:
                return
            bodies = self._early.pop(first)
            news = bodies[self.head + 1 - first :]
            if news:
                self._deliver(self.head + 1, self.head + len(news), news)

    def _deliver(self, first: int, last: int, bodies: Sequence[bytes]) -> None:
        self.head = last
        payload = Payload(bodies)
        frames = payload.frames
        for write in self._writes.values():  # the innermost loop of the product: one call for each listener
            write(frames)
        for listener in self._slow_ways.values():
            listener.send(payload)
        if self._joining:
            for subscription in self._joining:
                subscription.take(first, last, bodies)
            self._promote()

    def _promote(self) -> None:
        """Those who have exactly what was delivered need no bookkeeping any more."""
        for subscription in [known for known in self._joining if known.position == self.head]:
            del self._joining[subscription]
            self._live[subscription] = listener = subscription.listener
            if listener.write is not None:
                self._writes[subscription] = listener.write
            else:
                self._slow_ways[subscription] = listener
