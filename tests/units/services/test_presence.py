"""Who is here: told once when somebody comes, once when they are really gone, however many connections they have."""

from hypothesis import given
from hypothesis import strategies as st

from app.services.access import Membership
from app.services.presence import GRACE_SECONDS, MAX_NAMES, PresenceChange, PresenceTracker, RoomPresence

ALICE, BOB = 1, 2
LATER = GRACE_SECONDS + 0.1


def test_who_comes_is_told_once() -> None:
    roll = RoomPresence()
    roll.arrive(ALICE, "alice")
    assert roll.stir(0) == PresenceChange(1, ["alice"], [])
    assert roll.stir(1) is None


def test_who_leaves_is_told_after_a_grace() -> None:
    roll = RoomPresence()
    roll.arrive(ALICE, "alice")
    roll.stir(0)
    roll.leave(ALICE, now=10)
    assert roll.stir(10.5) is None
    assert roll.names() == ["alice"], "she was here a moment ago"
    assert roll.stir(10 + LATER) == PresenceChange(0, [], ["alice"])
    assert roll.names() == []
    assert roll.is_settled


def test_who_comes_back_within_the_grace_has_not_left() -> None:
    roll = RoomPresence()
    roll.arrive(ALICE, "alice")
    roll.stir(0)
    roll.leave(ALICE, now=10)
    roll.arrive(ALICE, "alice")
    assert roll.stir(10 + LATER) is None


def test_the_second_connection_is_no_arrival_and_its_end_no_departure() -> None:
    roll = RoomPresence()
    roll.arrive(ALICE, "alice")
    roll.stir(0)
    roll.arrive(ALICE, "alice")
    assert roll.stir(1) is None
    roll.leave(ALICE, now=1)
    assert roll.stir(1 + LATER) is None
    assert roll.names() == ["alice"]


def test_who_comes_and_goes_unseen_is_never_told() -> None:
    roll = RoomPresence()
    roll.arrive(ALICE, "alice")
    roll.leave(ALICE, now=0)
    assert roll.stir(LATER) is None
    assert roll.count == 0
    assert roll.is_settled


def test_a_crowd_is_a_number() -> None:
    roll = RoomPresence()
    for user in range(MAX_NAMES + 1):
        roll.arrive(user, f"user {user:03}")
    assert roll.stir(0) == PresenceChange(MAX_NAMES + 1, None, None)
    roll.leave(0, now=1)
    roll.arrive(9_999, "one more")
    assert roll.stir(1 + LATER) is None, "as many as before: nothing to tell"


def test_an_empty_room_is_forgotten() -> None:
    presences = PresenceTracker()
    member = Membership(7, ALICE, "alice", may_moderate=False)
    presences.arrive(member)
    assert list(presences.stirs(0)) == [(7, PresenceChange(1, ["alice"], []))]
    presences.leave(member, now=1)
    assert list(presences.stirs(1)) == []
    assert presences.names(7) == ["alice"]
    assert list(presences.stirs(1 + LATER)) == [(7, PresenceChange(0, [], ["alice"]))]
    assert not presences._rolls
    assert not presences._stirred


STEPS = st.lists(
    st.tuples(st.sampled_from(["arrive", "leave", "tell"]), st.integers(0, 3), st.floats(0, 3)), max_size=80
)


@given(STEPS)
def test_what_was_told_adds_up_to_who_is_here(steps: list[tuple[str, int, float]]) -> None:
    """A listener who only adds and takes away what it is told knows, in the end, exactly who is here."""
    roll, now, connections = RoomPresence(), 0.0, [0, 0, 0, 0]
    told: set[str] = set()
    for what, user, pause in steps:
        now += pause
        if what == "arrive":
            connections[user] += 1
            roll.arrive(user, str(user))
        elif what == "leave" and connections[user]:
            connections[user] -= 1
            roll.leave(user, now)
        else:
            _tell(roll, now, told)
    _tell(roll, now + LATER, told)
    assert told == {str(user) for user, count in enumerate(connections) if count} == set(roll.names())
    assert roll.is_settled


def _tell(roll: RoomPresence, now: float, told: set[str]) -> None:
    stir = roll.stir(now)
    if stir is None:
        return
    assert stir.online is not None
    assert stir.offline is not None
    assert not told & set(stir.online), "nobody arrives twice"
    assert told >= set(stir.offline), "nobody leaves who had not come"
    told |= set(stir.online)
    told -= set(stir.offline)
    assert stir.count == len(told)
