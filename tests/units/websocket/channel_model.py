"""A room and its listeners, as a small world around one `Channel` in which anything may happen at any time.

The room is a list of changes to a few rows. Its database may be read at any time; each change is reported some time
after its commit, perhaps twice, perhaps in part; listeners subscribe, read, go live and leave at any time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from app.services.access import Membership
from app.websocket.hub.channel import Channel, Subscription
from tests.support.fakes import RecordingListener

ROOM = 7
MEMBER = Membership(ROOM, 1, "ann", may_moderate=False)
ROWS = 4


@dataclass(eq=False)
class Subscriber:
    """A listener, and how far its catch-up has brought it. The events it read count as heard."""

    listener: RecordingListener
    subscription: Subscription
    position: int | None = None
    is_live: bool = False

    @property
    def heard(self) -> list[int]:
        return self.listener.heard

    @property
    def last_heard(self) -> int:
        return max(self.listener.heard, default=0)


@dataclass(frozen=True)
class Reading:
    """What the database had after a number: the last change of each row that changed, as `changes.since` reads it."""

    channel: Channel
    position: int
    seqs: list[int]


class ChannelModel:
    """Take steps, then `finish`: both raise AssertionError if a listener heard anything but what it should."""

    def __init__(self) -> None:
        self.channel = Channel(ROOM)
        self.rows: list[int] = []
        """The row that change number n + 1 touched."""
        self.subscribers: list[Subscriber] = []
        self.reports: list[range] = []
        """Commits that are to be reported, for the first time or again."""
        self.unreported: list[range] = []
        self.offered: dict[int, range] = {}
        """What this channel was offered last from each number on."""
        self.delivered = 0
        """The highest number that this channel has delivered."""
        self.known = 0
        """The highest number that this channel was told of, by a report or by a subscriber."""
        self.readings: list[Reading] = []
        self.steps: list[Callable[[int], None]] = [
            self.commit,
            self.report,
            self.report_in_part,
            self.lose,
            self.begin_to_repair,
            self.repair,
            self.subscribe,
            self.look,
            self.go_live,
            self.leave,
        ]

    @property
    def last(self) -> int:
        return len(self.rows)

    def step(self, kind: int, choice: int) -> None:
        self.steps[kind % len(self.steps)](choice)
        self.check()

    # The database, and the reports of its commits

    def commit(self, choice: int) -> None:
        """A transaction of one to three changes."""
        first = self.last + 1
        self.rows += [(choice + extra) % ROWS for extra in range(1 + choice % 3)]
        self.reports.append(range(first, self.last + 1))
        self.unreported.append(self.reports[-1])

    def report(self, choice: int) -> None:
        if self.reports:
            span = self.reports[choice % len(self.reports)]
            if choice % 4:
                self.reports.remove(span)  # else it will be reported again
            if span in self.unreported:
                self.unreported.remove(span)
            self._offer(span)

    def report_in_part(self, choice: int) -> None:
        if self.reports:
            self._offer(self.reports[choice % len(self.reports)][:1])

    def lose(self, choice: int) -> None:
        """A report that never comes: of another process, or of one that died."""
        if self.unreported:
            span = self.unreported.pop(choice % len(self.unreported))
            self.reports.remove(span)

    def _offer(self, span: range) -> None:
        self.known = max(self.known, span.stop - 1)
        self.offered[span.start] = span
        self.channel.offer(span.start, _bodies(span))

    def read(self) -> Reading:
        return Reading(self.channel, self.last, self._latest(after=self.channel.head or 0))

    def _latest(self, after: int) -> list[int]:
        latest = {row: number for number, row in enumerate(self.rows, 1)}
        return sorted(number for number in latest.values() if number > after)

    def begin_to_repair(self, _choice: int) -> None:
        if self.channel.has_gap:
            self.readings.append(self.read())

    def repair(self, choice: int) -> None:
        if self.readings:
            reading = self.readings.pop(choice % len(self.readings))
            reading.channel.repair(reading.position, reading.seqs, _bodies(reading.seqs))

    # Listeners

    def subscribe(self, choice: int) -> None:
        listener = RecordingListener(takes_frames=bool(choice % 2))
        self.subscribers.append(Subscriber(listener, self.channel.subscribe(listener)))

    def look(self, choice: int) -> None:
        """A subscriber reads where the room stands, and everything up to there."""
        waiting = [one for one in self.subscribers if one.position is None]
        if waiting:
            subscriber = waiting[choice % len(waiting)]
            subscriber.position = self.last
            subscriber.listener.heard[:0] = range(1, self.last + 1)
            if choice % 5:  # else the answer is still on its way
                self.known = max(self.known, self.last)
                self.channel.start_at(self.last)

    def go_live(self, choice: int) -> None:
        """Or for a slow subscriber, read on: what it missed meanwhile, as the database has it now."""
        ready = [one for one in self.subscribers if one.position is not None and not one.is_live]
        if ready:
            subscriber = ready[choice % len(ready)]
            assert subscriber.position is not None
            if subscriber.subscription.reaches(subscriber.position):
                subscriber.is_live = True
                self.known = max(self.known, subscriber.position)
                self.channel.go_live(subscriber.subscription, MEMBER, subscriber.position)
            else:
                subscriber.heard.extend(self._latest(after=subscriber.position))
                subscriber.position = self.last

    def leave(self, choice: int) -> None:
        if self.subscribers and choice % 3 == 0:
            left = self.subscribers.pop(choice % len(self.subscribers))
            self.channel.unsubscribe(left.subscription)
        if self.channel.is_empty:  # the hub drops it, and makes a new one for the next listener
            self.channel = Channel(ROOM)
            self.known = self.delivered = 0
            self.offered.clear()

    # What must be true

    def check(self) -> None:
        """Each listener hears each number once and in order, except those whose row changed again.

        No listener waits for another: all live listeners have heard what the room has delivered. No event waits once
        those before it are delivered.
        """
        assert all(one.last_heard >= self.delivered for one in self.subscribers if one.is_live)
        self.delivered = max(self.delivered, self.channel.head or 0)
        if self.channel.head is not None:
            following = self.channel.head + 1
            assert not any(following in span for span in self.offered.values()), following
        for subscriber in self.subscribers:
            heard = subscriber.heard
            assert all(one < next_one for one, next_one in pairwise(heard)), heard
            numbers = set(heard)
            for missing in range(1, max(numbers, default=0)):
                again = (later for later in numbers if later > missing)
                assert missing in numbers or any(self._is_same_row(missing, later) for later in again), heard

    def _is_same_row(self, one: int, other: int) -> bool:
        return self.rows[one - 1] == self.rows[other - 1]

    def finish(self) -> None:
        """In the end every listener has heard what the channel was told of, and the rest once it is told of more."""
        while any(not one.is_live for one in self.subscribers):
            self.look(0)
            self.go_live(0)
        for span in self.unreported:
            self._offer(span)
        self._repair_now()
        assert all(one.last_heard >= self.known for one in self.subscribers)
        self.channel.highest_known = max(self.channel.highest_known, self.last)  # as `Hub.note_head` does
        self._repair_now()
        assert all(one.last_heard == self.last for one in self.subscribers)

    def _repair_now(self) -> None:
        if self.subscribers and self.channel.has_gap:
            self.readings.append(self.read())
            self.repair(-1)
            assert not self.channel.has_gap
        self.check()


def _bodies(numbers: range | list[int]) -> list[bytes]:
    return [b"%d" % number for number in numbers]
