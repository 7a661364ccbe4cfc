"""What was read in another epoch than this process is in is dropped, and what names none is refused."""

from typing import cast

import pytest
from sqlalchemy import update

from app.core.database import Database, DatabaseUnavailable, Unknown
from app.models import Room
from app.models.rooms import RoomKind
from app.services import epochs, members
from app.services.access import Membership, RoomNotFound
from app.services.announcements import EpochBegan
from app.services.callers import Caller
from app.services.epochs import CurrentEpoch
from app.services.ledger import Draft
from app.services.ledger.locked_rooms import write_once
from app.services.presence import PresenceTracker
from app.websocket.catch_up.pages import Pages
from app.websocket.catch_up.subscribe import Since
from app.websocket.handshake import InvalidParameter, parse_epoch
from app.websocket.hub.hub import Hub
from tests.databases.people import user_named
from tests.support.fakes import RecordingListener, RecordingTransport, eventually, seq_of
from tests.units.websocket.socket_stack import SocketStack


def in_another(database: Database) -> CurrentEpoch:
    """A process that takes another epoch for the current one, until it has looked."""
    epoch = CurrentEpoch(database)
    epoch.is_current("another")
    return epoch


async def test_a_page_of_another_epoch_is_not_sent(database: Database, member: Membership) -> None:
    epoch = in_another(database)
    with pytest.raises(DatabaseUnavailable):
        await Pages(database, 1000, epoch).next(member.room_id, 0)
    await epoch.settled()
    assert (await Pages(database, 1000, epoch).next(member.room_id, 0)).seq == 6


async def test_a_gap_is_repaired_once_the_epoch_is_known(database: Database, member: Membership) -> None:
    epoch = in_another(database)
    hub, listener = Hub(database, PresenceTracker(), epoch), RecordingListener(seq_of)
    hub.go_live(hub.subscribe(listener, member.room_id), member, 2)
    hub.note_head(member.room_id, 6)
    await eventually(lambda: listener.heard == [3, 4, 5, 6])
    assert epoch.name == await database.read(epochs.name)


async def test_nothing_is_subscribed_to_in_another_epoch(
    database: Database, ann: Caller, member: Membership
) -> None:
    stack = SocketStack(database)
    stack.epoch.is_current("another")
    connection = stack.connect(ann, RecordingTransport())
    with pytest.raises(DatabaseUnavailable):
        await stack.subscriber.prepare(connection, member.room_id, Since(2, "another"))
    await stack.epoch.settled()
    prepared = await stack.subscriber.prepare(
        stack.connect(ann, RecordingTransport()), member.room_id, Since(2, stack.epoch.name)
    )
    assert prepared.missed is not None


async def test_an_epoch_that_cannot_be_looked_up_stays() -> None:
    class Away:
        async def write(self, *_: object) -> str:
            raise DatabaseUnavailable

    epoch, began = CurrentEpoch(cast(Database, Away())), list[EpochBegan]()
    epoch.on_change(began.extend)
    assert epoch.is_current("first")
    assert not epoch.is_current("second")
    await epoch.settled()
    assert (epoch.name, began) == ("first", [])


@pytest.mark.parametrize("name", ["\0", "", "x" * 65, "with space", "\ud800"])
def test_what_cannot_be_the_name_of_an_epoch_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameter):
        parse_epoch(name)


async def test_a_room_that_is_gone_or_closed_to_a_user_is_not_entered(
    database: Database, ann: Caller, member: Membership
) -> None:
    ben = await user_named(database, "ben")
    closed = update(Room).where(Room.id == member.room_id).values(kind=RoomKind.CLOSED)
    await database.write(lambda db: db.execute(closed))
    for room_id in (member.room_id, 999_999):
        with pytest.raises(RoomNotFound):
            await database.write(members.enter, ben, room_id)


async def test_a_retry_that_fails_in_any_way_leaves_the_outcome_unknown() -> None:
    errors: list[Exception] = [Unknown(), ValueError("a bug")]

    async def write(*_: object, **__: object) -> list[object]:
        raise errors.pop(0)

    draft = Draft(1, 1, "ann", "hi", "c1", None, "first")
    (outcome,) = await write_once(write, [draft])  # type: ignore[arg-type]
    assert isinstance(outcome, Unknown)
    assert errors == []
