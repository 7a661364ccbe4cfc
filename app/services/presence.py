"""Presence: which users are connected. It is derived from the current connections and never stored."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.services.access import Membership

GRACE_SECONDS = 4.0
"""How long a user may be disconnected before others are notified: a phone that changes networks has not left."""
MAX_NAMES = 200
"""Listeners of a room above which events carry no names any more, only their number."""


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """What has changed since the last event. None for names: there are too many."""

    count: int
    online: list[str] | None
    offline: list[str] | None


@dataclass(slots=True)
class RoomPresence:
    """The users in one room, each counted once over any number of connections. Time is monotonic seconds."""

    _connections: dict[int, int] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)
    _left_at: dict[int, float] = field(default_factory=dict)
    _announced: set[int] = field(default_factory=set)
    _announced_count: int = 0

    def arrive(self, user_id: int, name: str) -> None:
        self._connections[user_id] = self._connections.get(user_id, 0) + 1
        self._names[user_id] = name
        self._left_at.pop(user_id, None)

    def leave(self, user_id: int, now: float) -> None:
        self._connections[user_id] -= 1
        if not self._connections[user_id]:
            del self._connections[user_id]
            self._left_at[user_id] = now

    def names(self) -> list[str]:
        """Users who are connected, or were within the grace period."""
        return sorted(self._names.values())

    @property
    def count(self) -> int:
        return len(self._names)

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to announce, now or when a grace period ends."""
        return not self._left_at and self._announced == self._connections.keys()

    def change(self, now: float) -> PresenceChange | None:
        """What to announce now; each change is returned once."""
        for user_id in [user_id for user_id, left in self._left_at.items() if now - left >= GRACE_SECONDS]:
            del self._left_at[user_id]
            if user_id not in self._announced:
                del self._names[user_id]
        here = self._connections.keys() | self._left_at.keys()
        online, offline = here - self._announced, self._announced - here
        if not online and not offline:
            return None
        came = sorted(self._names[user_id] for user_id in online)
        went = sorted(self._names.pop(user_id) for user_id in offline)
        self._announced = here
        few = len(here) <= MAX_NAMES and len(came) + len(went) <= MAX_NAMES
        if not few and self._announced_count == len(here):
            return None
        self._announced_count = len(here)
        return PresenceChange(len(here), came if few else None, went if few else None)


class PresenceTracker:
    """The presence of every room that has listeners in this process."""

    def __init__(self) -> None:
        self._rooms: dict[int, RoomPresence] = {}
        self._unsettled: set[int] = set()

    def arrive(self, member: Membership) -> None:
        self._rooms.setdefault(member.room_id, RoomPresence()).arrive(member.user_id, member.username)
        self._unsettled.add(member.room_id)

    def leave(self, member: Membership, now: float) -> None:
        self._rooms[member.room_id].leave(member.user_id, now)
        self._unsettled.add(member.room_id)

    def names(self, room_id: int) -> list[str]:
        """Users who are in the room, or were within the grace period."""
        found = self._rooms.get(room_id)
        return found.names() if found else []

    def changes(self, now: float) -> Iterator[tuple[int, PresenceChange]]:
        """What to announce now, room by room; each change is returned once."""
        for room_id in list(self._unsettled):
            room = self._rooms[room_id]
            if change := room.change(now):
                yield room_id, change
            if room.is_settled:
                self._unsettled.discard(room_id)
                if not room.count:
                    del self._rooms[room_id]
