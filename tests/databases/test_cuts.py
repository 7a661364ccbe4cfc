"""A connection to the database is reset before and after every packet of every kind of work.

After COMMIT nothing may fail, and before it nothing may be final: each work is stored once or not at all, its caller is
told which, and the pool loses no connection.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import pytest
from sqlalchemy import func, make_url, select
from sqlalchemy.pool import QueuePool

from app.core.config import Settings
from app.core.database import Database, DatabaseUnavailable, UnitOfWork, Unknown, migrations
from app.models import Message, Reaction, RefreshToken, Session
from app.schemas.messages import MessageDraft
from app.services import access, changes, messages, reactions, sessions
from app.services.access import Membership
from app.services.announcements import DurableEvents
from app.services.callers import Caller
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, user_named
from tests.databases.servers import MariaDb, Postgres
from tests.support.cutting_proxy import CuttingProxy

MAX_PACKETS = 60
DAY_MS = 86_400_000


class Cutter(Protocol):
    """Cuts work off: a proxy, or connections that fail by themselves."""

    has_cut: bool

    def cut(self, packet: int, *, delivered: bool) -> AbstractContextManager[None]: ...


@dataclass
class Site:
    """A database that can be cut off, and a room in it."""

    database: Database
    proxy: Cutter
    ann: Caller
    member: Membership
    ledger: Ledger
    published: list[object] = field(default_factory=list)
    packet: int = 0
    delivered: bool = False

    async def cuts(self, work: Awaitable[object]) -> str:
        """The outcome that a caller is told when the connection is reset; any other error fails the test."""
        with self.proxy.cut(self.packet, delivered=self.delivered):
            try:
                await work
            except DatabaseUnavailable:
                return "unavailable"
            except Unknown:
                return "unknown"
            return "done"

    async def count(self, model: type[Message | Reaction | Session | RefreshToken]) -> int:
        return await self.database.read(_count, model)


def _count(db: UnitOfWork, model: type[Message | Reaction | Session | RefreshToken]) -> int:
    return db.scalars(select(func.count()).select_from(model)).one()


def _count_texts(db: UnitOfWork, text: str) -> int:
    return db.scalars(select(func.count()).select_from(Message).where(Message.content == text)).one()


@pytest.fixture(
    params=[pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in ("postgresql", "mariadb")]
)
def proxied(request: pytest.FixtureRequest) -> Iterator[tuple[str, CuttingProxy]]:
    """The address of an empty database behind a proxy."""
    server: Postgres | MariaDb = request.getfixturevalue(
        {"postgresql": "postgres"}.get(request.param, "mariadb")
    )
    url = make_url(server.new_database())
    folder = url.query.get("host")
    if folder:
        proxy = CuttingProxy(socket.AF_UNIX, f"{folder}/.s.PGSQL.5432")
        url = url.difference_update_query(["host"])
    else:
        proxy = CuttingProxy(socket.AF_INET, (str(url.host), url.port or 3306))
    url = url.set(host="127.0.0.1", port=proxy.port)
    yield url.render_as_string(hide_password=False), proxy
    proxy.close()


@pytest.fixture
async def site(proxied: tuple[str, CuttingProxy]) -> AsyncIterator[Site]:
    url, proxy = proxied
    database = Database(Settings(database_url=url).url, pool_size=2)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda connection: None)
    ann = await user_named(database, "ann")
    member = await member_of(database, ann, await room_of(database, ann))
    made = Site(database, proxy, ann, member, Ledger(database))
    await say(made.ledger, member, "first")
    database.on_commit(made.published.extend)
    yield made
    database.close()


async def sends(site: Site) -> None:
    """Counts only its own text: a COMMIT before, whose answer was lost, may still be running."""
    text, told = f"hi {site.packet}", len(site.published)
    outcome = await site.cuts(site.ledger.post(site.member, MessageDraft(content=text)))
    stored = await site.database.read(_count_texts, text)
    assert stored in {"done": {1}, "unavailable": {0}, "unknown": {0, 1}}[outcome]
    assert [type(one) for one in site.published[told:]] == ([DurableEvents] if outcome == "done" else [])


async def sends_with_a_client_id(site: Site) -> None:
    before = await site.count(Message)
    draft = MessageDraft(content="hi", client_id=f"c{before}-{len(site.published)}")
    outcome = await site.cuts(site.ledger.post(site.member, draft))
    if outcome != "done":  # a client sends it again
        await site.ledger.post(site.member, draft)
    assert await site.count(Message) - before == 1


async def edits(site: Site) -> None:
    content = f"edit {len(site.published)}"
    outcome = await site.cuts(site.database.write(messages.edit, site.member, 1, content))
    stored = await site.database.read(messages.one, site.member.room_id, 1)
    assert (stored["message"] == content) in {
        "done": {True},
        "unavailable": {False},
        "unknown": {True, False},
    }[outcome]


async def reacts(site: Site) -> None:
    before = await site.count(Reaction)
    work = reactions.remove if before else reactions.add
    outcome = await site.cuts(site.database.write(work, site.member, 1, "👍"))
    changed = await site.count(Reaction) != before
    assert changed in {"done": {True}, "unavailable": {False}, "unknown": {True, False}}[outcome]


async def logs_in(site: Site) -> None:
    before = await site.count(Session)
    outcome = await site.cuts(site.database.write(sessions.open_session, site.ann.user_id, "test", DAY_MS))
    stored = await site.count(Session) - before
    assert stored in {"done": {1}, "unavailable": {0}, "unknown": {0, 1}}[outcome]


async def refreshes(site: Site) -> None:
    login = await site.database.write(sessions.open_session, site.ann.user_id, "test", DAY_MS)
    before = await site.count(RefreshToken)
    outcome = await site.cuts(site.database.write(sessions.rotate, login.refresh_token, DAY_MS))
    stored = await site.count(RefreshToken) - before
    assert stored in {"done": {1}, "unavailable": {0}, "unknown": {0, 1}}[outcome]


async def reads(site: Site) -> None:
    outcome = await site.cuts(
        site.database.read(messages.page, site.ann, site.member.room_id, None, None, 50)
    )
    assert outcome != "unknown"


async def subscribes(site: Site) -> None:
    view = await site.cuts(access.room_view(site.database, site.ann, site.member.room_id))
    page = await site.cuts(site.database.read(changes.missed, site.member.room_id, 0, None))
    assert "unknown" not in {view, page}


WORKS = [sends, sends_with_a_client_id, edits, reacts, logs_in, refreshes, reads, subscribes]


@pytest.mark.parametrize("delivered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
async def test_a_reset_at_any_packet_leaves_one_outcome_and_a_whole_pool(
    site: Site, work: Callable[[Site], Awaitable[None]], delivered: bool
) -> None:
    cuts = 0
    for packet in range(1, MAX_PACKETS):
        site.packet, site.delivered = packet, delivered
        await work(site)
        for engine in (site.database.writer, site.database.reader):
            assert isinstance(engine.pool, QueuePool)
            assert engine.pool.checkedout() == 0
        if not site.proxy.has_cut:
            break
        cuts += 1
    assert cuts > 3, "the work was cut in the middle"
    assert cuts < MAX_PACKETS - 1, "and at every packet"
