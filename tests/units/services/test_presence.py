"""Presence: a user is announced once on arrival and once after leaving, over any number of connections."""

from hypothesis import given
from hypothesis import strategies as st

from app.services.access import Membership
from app.services.presence import GRACE_SECONDS, MAX_NAMES, PresenceChange, PresenceTracker, RoomPresence

ALICE = 1
LATER = GRACE_SECONDS + 0.1


def test_an_arrival_is_announced_once() -> None:
    room = RoomPresence()
    room.arrive(ALICE, "alice")
    assert room.change(0) == PresenceChange(1, ["alice"], [])
    assert room.change(1) is None


def test_a_departure_is_announced_after_a_grace_period() -> None:
    room = RoomPresence()
    room.arrive(ALICE, "alice")
    room.change(0)
    room.leave(ALICE, now=10)
    assert room.change(10.5) is None
    assert room.names() == ["alice"], "she was here a moment ago"
    assert room.change(10 + LATER) == PresenceChange(0, [], ["alice"])
    assert room.names() == []
    assert room.is_settled


def test_a_user_who_returns_within_the_grace_period_has_not_left() -> None:
    room = RoomPresence()
    room.arrive(ALICE, "alice")
    room.change(0)
    room.leave(ALICE, now=10)
    room.arrive(ALICE, "alice")
    assert room.change(10 + LATER) is None


def test_a_second_connection_is_no_arrival_and_its_end_no_departure() -> None:
    room = RoomPresence()
    room.arrive(ALICE, "alice")
    room.change(0)
    room.arrive(ALICE, "alice")
    assert room.change(1) is None
    room.leave(ALICE, now=1)
    assert room.change(1 + LATER) is None
    assert room.names() == ["alice"]


def test_a_user_who_leaves_before_the_next_announcement_is_never_announced() -> None:
    room = RoomPresence()
    room.arrive(ALICE, "alice")
    room.leave(ALICE, now=0)
    assert room.change(LATER) is None
    assert room.count == 0
    assert room.is_settled


def test_a_crowd_is_announced_as_a_number() -> None:
    room = RoomPresence()
    for user in range(MAX_NAMES + 1):
        room.arrive(user, f"user {user:03}")
    assert room.change(0) == PresenceChange(MAX_NAMES + 1, None, None)
    room.leave(0, now=1)
    room.arrive(9_999, "one more")
    assert room.change(1 + LATER) is None, "the number is the same: nothing to announce"


def test_an_empty_room_takes_no_memory() -> None:
    tracker = PresenceTracker()
    member = Membership(7, ALICE, "alice", may_moderate=False)
    tracker.arrive(member)
    assert list(tracker.changes(0)) == [(7, PresenceChange(1, ["alice"], []))]
    tracker.leave(member, now=1)
    assert list(tracker.changes(1)) == []
    assert tracker.names(7) == ["alice"]
    assert list(tracker.changes(1 + LATER)) == [(7, PresenceChange(0, [], ["alice"]))]
    assert not tracker._rooms
    assert not tracker._unsettled


STEPS = st.lists(
    st.tuples(st.sampled_from(["arrive", "leave", "announce"]), st.integers(0, 3), st.floats(0, 3)),
    max_size=80,
)


@given(STEPS)
def test_the_announcements_add_up_to_the_users_who_are_here(steps: list[tuple[str, int, float]]) -> None:
    """A listener that only applies what is announced knows, in the end, exactly which users are here."""
    room, now, connections = RoomPresence(), 0.0, [0, 0, 0, 0]
    known: set[str] = set()
    for step, user, pause in steps:
        now += pause
        if step == "arrive":
            connections[user] += 1
            room.arrive(user, str(user))
        elif step == "leave" and connections[user]:
            connections[user] -= 1
            room.leave(user, now)
        else:
            _announce(room, now, known)
    _announce(room, now + LATER, known)
    assert known == {str(user) for user, count in enumerate(connections) if count} == set(room.names())
    assert room.is_settled


def _announce(room: RoomPresence, now: float, known: set[str]) -> None:
    change = room.change(now)
    if change is None:
        return
    assert change.online is not None
    assert change.offline is not None
    assert not known & set(change.online), "no user arrives twice"
    assert known >= set(change.offline), "no user leaves who had not arrived"
    known |= set(change.online)
    known -= set(change.offline)
    assert change.count == len(known)
