"""The hub: listeners hear their rooms and no others, and users are present while a listener of theirs is live."""

import json

import pytest

from app.core.database import Database
from app.services.access import Membership
from app.services.announcements import DurableEvents, EphemeralEvents
from app.services.epochs import CurrentEpoch
from app.services.presence import GRACE_SECONDS, PresenceTracker
from app.websocket.hub.channel import Subscription
from app.websocket.hub.hub import Hub
from tests.support.fakes import ManualClock, RecordingListener

ROOM, OTHER_ROOM = 7, 8


@pytest.fixture
def presence() -> PresenceTracker:
    return PresenceTracker()


@pytest.fixture
def hub(database: Database, presence: PresenceTracker) -> Hub:
    return Hub(database, presence, CurrentEpoch(database))


def listen(hub: Hub, room_id: int, listener: RecordingListener) -> Subscription:
    """Subscribe to an empty room and go live."""
    subscription = hub.subscribe(listener, room_id)
    hub.go_live(subscription, Membership(room_id, listener.user_id, "ann", may_moderate=False), 0)
    return subscription


def count_of(presence: bytes) -> int:
    count: int = json.loads(presence)["count"]
    return count


async def test_a_listener_hears_the_rooms_it_is_subscribed_to_and_no_others(hub: Hub) -> None:
    listener, other = RecordingListener(), RecordingListener()
    listen(hub, ROOM, listener)
    listen(hub, OTHER_ROOM, other)
    hub.deliver(DurableEvents(ROOM, 1, [b"1", b"2"], "e1"))
    hub.deliver(DurableEvents(OTHER_ROOM, 1, [b"1"], "e1"))
    hub.deliver(DurableEvents(99, 1, [b"1"], "e1"))
    hub.broadcast(EphemeralEvents(ROOM, [b"100"], not_to=0))
    hub.broadcast(EphemeralEvents(99, [b"100"], not_to=0))
    assert (listener.heard, other.heard) == ([1, 2, 100], [1])


async def test_a_listener_that_unsubscribes_hears_nothing_more(hub: Hub) -> None:
    listener = RecordingListener()
    subscription = listen(hub, ROOM, listener)
    listen(hub, ROOM, RecordingListener())
    for _ in range(2):
        hub.unsubscribe(subscription)
    hub.deliver(DurableEvents(ROOM, 1, [b"1"], "e1"))
    assert listener.heard == []


async def test_a_listener_that_left_while_it_was_catching_up_does_not_go_live(
    hub: Hub, presence: PresenceTracker
) -> None:
    listener = RecordingListener()
    subscription = hub.subscribe(listener, ROOM)
    hub.unsubscribe(subscription)
    hub.go_live(subscription, Membership(ROOM, 1, "ann", may_moderate=False), 0)
    hub.deliver(DurableEvents(ROOM, 1, [b"1"], "e1"))
    assert listener.heard == []
    assert presence.names(ROOM) == []


async def test_a_room_without_listeners_takes_no_memory(hub: Hub) -> None:
    first, second = listen(hub, ROOM, RecordingListener()), hub.subscribe(RecordingListener(), ROOM)
    listen(hub, OTHER_ROOM, RecordingListener())
    assert sorted(hub.heads) == [ROOM, OTHER_ROOM]
    hub.unsubscribe(first)
    assert sorted(hub.heads) == [ROOM, OTHER_ROOM], "one is still catching up"
    hub.unsubscribe(second)
    assert list(hub.heads) == [OTHER_ROOM]


async def test_presence_is_announced_to_the_listeners_of_a_room(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(monkeypatch)
    stays, leaves = RecordingListener(count_of, user_id=1), RecordingListener(count_of, user_id=2)
    listen(hub, ROOM, stays)
    subscription = listen(hub, ROOM, leaves)
    hub.announce_presence(clock.now)
    hub.announce_presence(clock.now)
    hub.unsubscribe(subscription)
    hub.announce_presence(clock.now + GRACE_SECONDS + 1)
    assert (stays.heard, leaves.heard) == ([2, 1], [2])
