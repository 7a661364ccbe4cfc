"""A room and its listeners, as a small world around one `Channel` in which anything may happen at any time.

The room is a list of changes to a few rows. Its database may be read at any time; each change is reported some time
after its commit, perhaps twice, perhaps in part; listeners attach, read, go live and leave whenever they like.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from app.services.access import Membership
from app.websocket.transport import Payload

ROOM = 7
MEMBER = Membership(ROOM, 1, "ear", may_moderate=False)
ROWS = 4


class Ear:
    """A listener that remembers every number it heard, first those that its catch-up brought."""

    user_id = 1
    is_behind = False

    def __init__(self, *, takes_frames: bool) -> None:
        self.heard: list[int] = []
        self.write: Callable[[bytes], None] | None = self._read_frames if takes_frames else None
        self.subscription: Any = None
        self.position: int | None = None
        self.is_live = False

    def send(self, payload: Payload) -> None:
        self.heard.extend(map(int, payload.bodies))

    def _read_frames(self, frames: bytes) -> None:
        while frames:
            length = frames[1]
            self.heard.append(int(frames[2 : 2 + length]))
            frames = frames[2 + length :]


@dataclass(frozen=True)
class Reading:
    """What the database had after a number: the last change of each row that changed, as `changes.since` reads it."""

    channel: Any
    position: int
    seqs: list[int]


class World:
    """Take steps, then `finish`: both raise AssertionError if a listener heard anything but what it should."""

    def __init__(self, module: ModuleType) -> None:
        self._new_channel: Callable[[int], Any] = module.Channel
        self.channel = self._new_channel(ROOM)
        self.rows: list[int] = []
        """The row that change number n + 1 touched."""
        self.ears: list[Ear] = []
        self.reports: list[range] = []
        """What was committed and is to be reported, for the first time or again."""
        self.unreported: list[range] = []
        self.told_to_all = 0
        """The highest number that was ever delivered."""
        self.told = 0
        """The highest number that the channel was told of, by a report or by who came with it."""
        self.readings: list[Reading] = []
        self.steps: list[Callable[[int], None]] = [
            self.commit,
            self.report,
            self.report_in_part,
            self.lose,
            self.begin_to_repair,
            self.repair,
            self.attach,
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

    # The database, and what is reported of it

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
        self.told = max(self.told, span.stop - 1)
        self.channel.offer(span.start, [b"%d" % number for number in span])

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
            reading.channel.repair(
                reading.position, reading.seqs, [b"%d" % number for number in reading.seqs]
            )

    # Who listens

    def attach(self, choice: int) -> None:
        ear = Ear(takes_frames=bool(choice % 2))
        ear.subscription = self.channel.attach(ear)
        self.ears.append(ear)

    def look(self, choice: int) -> None:
        """Read where the room stands; what there was is as good as heard."""
        waiting = [ear for ear in self.ears if ear.position is None]
        if waiting:
            ear = waiting[choice % len(waiting)]
            ear.position = self.last
            ear.heard = [*range(1, self.last + 1), *ear.heard]
            if choice % 5:  # else its answer is on its way still
                self.told = max(self.told, self.last)
                self.channel.stands_at(self.last)

    def go_live(self, choice: int) -> None:
        """Or read on, for who was too slow: what it missed meanwhile, as the database has it now."""
        ready = [ear for ear in self.ears if ear.position is not None and not ear.is_live]
        if ready:
            ear = ready[choice % len(ready)]
            assert ear.position is not None
            if ear.subscription.reaches(ear.position):
                ear.is_live = True
                self.told = max(self.told, ear.position)
                self.channel.go_live(ear.subscription, MEMBER, ear.position)
            else:
                ear.heard += self._latest(after=ear.position)
                ear.position = self.last

    def leave(self, choice: int) -> None:
        if self.ears and choice % 3 == 0:
            self.channel.detach(self.ears.pop(choice % len(self.ears)).subscription)
        if self.channel.is_empty:  # the hub forgets it, and makes a new one for whoever comes next
            self.channel = self._new_channel(ROOM)
            self.told = self.told_to_all = 0

    # What must be true

    def check(self) -> None:
        """Each number once and in order; one that was passed over belongs to a row that changed again.

        Nobody waits for somebody else: what the room has told, all who are live have heard.
        """
        assert all(max(ear.heard, default=0) >= self.told_to_all for ear in self.ears if ear.is_live)
        self.told_to_all = max(self.told_to_all, self.channel.head or 0)
        for ear in self.ears:
            assert all(one < next_one for one, next_one in zip(ear.heard, ear.heard[1:], strict=False)), (
                ear.heard
            )
            heard = set(ear.heard)
            for missing in range(1, max(heard, default=0)):
                again = (later for later in heard if later > missing)
                assert missing in heard or any(self._same_row(missing, later) for later in again), ear.heard

    def _same_row(self, one: int, other: int) -> bool:
        return self.rows[one - 1] == self.rows[other - 1]

    def finish(self) -> None:
        """What the channel was told of, everyone has in the end; and the rest once it is told that there is more."""
        while any(not ear.is_live for ear in self.ears):
            self.look(0)
            self.go_live(0)
        for span in self.unreported:
            self._offer(span)
        self._mend()
        assert all(max(ear.heard, default=0) >= self.told for ear in self.ears)
        self.channel.known = max(self.channel.known, self.last)  # as the hub finds out when it looks around
        self._mend()
        assert all(max(ear.heard, default=0) == self.last for ear in self.ears)

    def _mend(self) -> None:
        if self.ears and self.channel.has_gap:
            self.readings.append(self.read())
            self.repair(-1)
            assert not self.channel.has_gap
        self.check()
