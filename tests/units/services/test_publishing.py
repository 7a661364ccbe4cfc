"""Announcements reach the subscribers of their kind after the commit, in order; a rollback drops them."""

import pytest

from app.core.database import Database, UnitOfWork
from app.services.announcements import (
    Announcement,
    DurableEvents,
    EphemeralEvents,
    EpochBegan,
    SessionsEnded,
    announce,
)
from app.services.publishing import Publisher
from tests.support.fakes import eventually

DURABLE = [DurableEvents(7, 1, [b"1", b"2"], "e1"), DurableEvents(8, 1, [b"1"], "e1")]
EPHEMERAL = [EphemeralEvents(7, [b"typing"], not_to=1), EphemeralEvents(8, [b"read"], not_to=0)]
ENDED = [SessionsEnded(["a", "b"]), SessionsEnded(["c"])]
BEGAN = [EpochBegan("k3f9")]
ALL: list[Announcement] = [DURABLE[0], EPHEMERAL[0], ENDED[0], BEGAN[0], EPHEMERAL[1], DURABLE[1], ENDED[1]]

Call = tuple[str, Announcement | None]


class Subscribers:
    """Two subscribers of every kind, and every call to them in its order."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.publisher = Publisher(
            durable=[self._record_durable, lambda events: self.calls.append(("durable 2", events))],
            ephemeral=[
                lambda events: self.calls.append(("ephemeral 1", events)),
                lambda events: self.calls.append(("ephemeral 2", events)),
            ],
            sessions_ended=[
                lambda ended: self.calls.append(("ended 1", ended)),
                lambda ended: self.calls.append(("ended 2", ended)),
            ],
            epoch_began=[
                lambda began: self.calls.append(("began 1", began)),
                lambda began: self.calls.append(("began 2", began)),
            ],
            afterwards=[
                lambda: self.calls.append(("afterwards 1", None)),
                lambda: self.calls.append(("afterwards 2", None)),
            ],
        )

    def _record_durable(self, events: DurableEvents) -> None:
        self.calls.append(("durable 1", events))

    def calls_of(self, subscriber: str) -> list[Announcement | None]:
        return [what for name, what in self.calls if name == subscriber]


@pytest.mark.parametrize(
    "kind, announcements", [("durable", DURABLE), ("ephemeral", EPHEMERAL), ("ended", ENDED)]
)
def test_every_subscriber_gets_each_announcement_of_its_kind_in_order(
    kind: str, announcements: list[Announcement]
) -> None:
    subscribers = Subscribers()
    subscribers.publisher.publish(ALL)
    for subscriber in (f"{kind} 1", f"{kind} 2"):
        assert subscribers.calls_of(subscriber) == announcements


def test_announcements_are_passed_on_in_their_order_to_subscribers_in_theirs() -> None:
    subscribers = Subscribers()
    subscribers.publisher.publish(ALL)
    kinds = {
        DurableEvents: "durable",
        EphemeralEvents: "ephemeral",
        SessionsEnded: "ended",
        EpochBegan: "began",
    }
    expected: list[Call] = [(f"{kinds[type(what)]} {turn}", what) for what in ALL for turn in (1, 2)]
    assert subscribers.calls == [*expected, ("afterwards 1", None), ("afterwards 2", None)]


def test_a_subscriber_that_is_added_later_gets_later_announcements() -> None:
    publisher, heard = Publisher([], [], [], [], []), list[DurableEvents]()
    publisher.publish([DURABLE[0]])
    publisher.durable.append(heard.append)
    publisher.publish([DURABLE[1]])
    assert heard == [DURABLE[1]]


async def test_subscribers_are_called_afterwards_once_per_commit(database: Database) -> None:
    subscribers = Subscribers()
    database.on_commit(subscribers.publisher.publish)

    def announce_all(db: UnitOfWork) -> None:
        for what in ALL:
            announce(db, what)

    for commit in (1, 2, 3):
        await database.write(announce_all)
        await eventually(lambda commit=commit: len(subscribers.calls_of("afterwards 2")) == commit)  # type: ignore[misc]
        assert subscribers.calls_of("durable 1") == DURABLE * commit
        assert subscribers.calls_of("afterwards 1") == [None] * commit


async def test_a_commit_without_announcements_calls_no_subscriber(database: Database) -> None:
    subscribers = Subscribers()
    database.on_commit(subscribers.publisher.publish)
    await database.write(lambda _db: None)
    await database.write(announce, DURABLE[0])
    await eventually(lambda: bool(subscribers.calls_of("afterwards 2")))
    assert [name for name, _ in subscribers.calls] == [
        "durable 1",
        "durable 2",
        "afterwards 1",
        "afterwards 2",
    ]


async def test_a_rollback_drops_its_announcements(database: Database) -> None:
    subscribers = Subscribers()
    database.on_commit(subscribers.publisher.publish)

    def fail(db: UnitOfWork) -> None:
        announce(db, DURABLE[0])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(fail)
    await database.write(announce, DURABLE[1])
    await eventually(lambda: bool(subscribers.calls_of("afterwards 2")))
    assert subscribers.calls_of("durable 1") == [DURABLE[1]]
