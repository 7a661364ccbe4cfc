"""Reconciling: what other processes changed is found by asking the database."""

from dataclasses import replace

import pytest

from app.core.config import Settings
from app.core.database import Database
from app.services import sessions
from app.services.announcements import SessionsEnded
from app.services.epochs import CurrentEpoch
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.websocket.hub import reconcile as module
from app.websocket.hub.hub import Hub
from app.websocket.hub.reconcile import Reconciler
from app.websocket.hub.registry import Registry
from tests.databases.people import member_of, room_of, say, user_named
from tests.support.fakes import RecordingListener, RecordingPeer, eventually, seq_of


@pytest.mark.parametrize("batch", [1, 2, 500])
async def test_the_unreported_last_event_of_every_room_is_found(
    database: Database, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(module, "RECONCILE_BATCH", batch)
    epoch = CurrentEpoch(database)
    hub, ann = Hub(database, PresenceTracker(), epoch), await user_named(database, "ann")
    members = [
        await member_of(database, ann, await room_of(database, ann, name)) for name in ("One", "Two", "Three")
    ]
    listeners = [RecordingListener(seq_of) for _ in members]
    for member, listener in zip(members, listeners, strict=True):
        hub.go_live(hub.subscribe(listener, member.room_id), member, 1)
        await say(Ledger(database), member, "hello")
    await Reconciler(database, hub, Registry(Settings()), epoch, lambda _: None).reconcile()
    await eventually(lambda: all(listener.heard == [2] for listener in listeners))


@pytest.mark.parametrize("batch", [1, 2, 500])
async def test_connected_logins_that_ended_elsewhere_are_found(
    database: Database, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(module, "RECONCILE_BATCH", batch)
    ann, registry = await user_named(database, "ann"), Registry(Settings())
    login = await database.write(sessions.open_session, ann.user_id, "", 60_000)
    for session_id in ("gone", login.session_id, "gone too"):
        registry.add(RecordingPeer(caller=replace(ann, session_id=session_id)))
    ended: list[SessionsEnded] = []
    hub, epoch = Hub(database, PresenceTracker(), CurrentEpoch(database)), CurrentEpoch(database)
    await Reconciler(database, hub, registry, epoch, ended.extend).reconcile()
    found = [session_id for one in ended for session_id in one.session_ids]
    assert sorted(found) == ["gone", "gone too"]
