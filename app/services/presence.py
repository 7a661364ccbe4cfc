"""Who is here. Never stored: it is only as true as the connections of this moment."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.services.access import Membership

GRACE_SECONDS = 4.0
"""How long somebody may be gone before it is told: a phone that changes networks has not left."""
MAX_NAMES = 200
"""Listeners of a room above which names are no longer told, only their number."""


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """What has changed since it was last told. `None` for names: there are too many."""

    count: int
    online: list[str] | None
    offline: list[str] | None


@dataclass(slots=True)
class RoomPresence:
    """The people in one room, each counted once, over however many connections. Time is monotonic seconds."""

    _here: dict[int, int] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)
    _left: dict[int, float] = field(default_factory=dict)
    _told: set[int] = field(default_factory=set)
    _told_count: int = 0

    def arrive(self, user_id: int, name: str) -> None:
        self._here[user_id] = self._here.get(user_id, 0) + 1
        self._names[user_id] = name
        self._left.pop(user_id, None)

    def leave(self, user_id: int, now: float) -> None:
        self._here[user_id] -= 1
        if not self._here[user_id]:
            del self._here[user_id]
            self._left[user_id] = now

    def names(self) -> list[str]:
        """Everybody who is here or was a moment ago."""
        return sorted(self._names.values())

    @property
    def count(self) -> int:
        return len(self._names)

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to tell, now or when a grace ends."""
        return not self._left and self._told == self._here.keys()

    def stir(self, now: float) -> PresenceChange | None:
        """What to tell now, once."""
        for user_id in [user_id for user_id, left in self._left.items() if now - left >= GRACE_SECONDS]:
            del self._left[user_id]
            if user_id not in self._told:
                del self._names[user_id]
        here = self._here.keys() | self._left.keys()
        online, offline = here - self._told, self._told - here
        if not online and not offline:
            return None
        came = sorted(self._names[user_id] for user_id in online)
        went = sorted(self._names.pop(user_id) for user_id in offline)
        self._told = here
        few = len(here) <= MAX_NAMES and len(came) + len(went) <= MAX_NAMES
        if not few and self._told_count == len(here):
            return None
        self._told_count = len(here)
        return PresenceChange(len(here), came if few else None, went if few else None)


class PresenceTracker:
    """The rolls of all rooms that somebody is in."""

    def __init__(self) -> None:
        self._rolls: dict[int, RoomPresence] = {}
        self._stirred: set[int] = set()

    def arrive(self, member: Membership) -> None:
        self._rolls.setdefault(member.room_id, RoomPresence()).arrive(member.user_id, member.username)
        self._stirred.add(member.room_id)

    def leave(self, member: Membership, now: float) -> None:
        self._rolls[member.room_id].leave(member.user_id, now)
        self._stirred.add(member.room_id)

    def names(self, room_id: int) -> list[str]:
        """Everybody who is in the room or was a moment ago."""
        found = self._rolls.get(room_id)
        return found.names() if found else []

    def stirs(self, now: float) -> Iterator[tuple[int, PresenceChange]]:
        """What to tell now, once, room by room."""
        for room_id in list(self._stirred):
            roll = self._rolls[room_id]
            if stir := roll.stir(now):
                yield room_id, stir
            if roll.is_settled:
                self._stirred.discard(room_id)
                if not roll.count:
                    del self._rolls[room_id]
