"""A database behind a proxy that breaks the network, and every kind of work that is tried there."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.pool import QueuePool

from app.core.config import Settings
from app.core.database import Database, DatabaseUnavailable, Deadlines, UnitOfWork, Unknown, migrations
from app.core.security.refresh_tokens import TokenChain
from app.models import Message, Reaction, RefreshToken, Room, Session
from app.schemas.messages import MessageDraft
from app.services import access, changes, messages, reactions, refresh_tokens, sessions
from app.services.access import Membership
from app.services.announcements import DurableEvents
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.refresh_tokens import Lifetimes
from tests.databases.people import member_of, room_of, say, until_done, user_named
from tests.support.cutting_proxy import CuttingProxy

DAY_MS = 86_400_000


@dataclass
class Site:
    """A database where a fault can occur, and a room in it."""

    database: Database
    ann: Caller
    member: Membership
    ledger: Ledger
    published: list[object] = field(default_factory=list)
    fault: Callable[[], AbstractContextManager[None]] = nullcontext
    answered: list[float] = field(default_factory=list)
    """Seconds that each answer took."""
    heal_seconds: float = 0.0
    """How long it may take after a fault until everything works again; 0 if it has to work at once."""

    async def cuts(self, work: Awaitable[object]) -> str:
        """The outcome that a caller is told when the fault occurs; any other error fails the test."""
        began = time.monotonic()
        with self.fault():
            try:
                await work
            except DatabaseUnavailable:
                outcome = "unavailable"
            except Unknown:
                outcome = "unknown"
            else:
                outcome = "done"
            self.answered.append(time.monotonic() - began)
        await self.healed()
        return outcome

    async def healed(self) -> None:
        """Return when the room can be written to, which also means that every transaction that broke has ended."""
        end = time.monotonic() + self.heal_seconds
        while self.heal_seconds:
            try:
                await self.database.write(_lock, self.member.room_id)
                await self.database.read(_count, Message)
                break
            except DatabaseUnavailable:
                assert time.monotonic() < end, "not healed"
        for engine in (self.database.writer, self.database.reader):
            assert isinstance(engine.pool, QueuePool)
            while engine.pool.checkedout():
                assert time.monotonic() < end, "the pool has lost a connection"
                await asyncio.sleep(0.01)

    async def count(self, model: type[Message | Reaction | Session | RefreshToken]) -> int:
        return await self.database.read(_count, model)


@dataclass(kw_only=True)
class ProxiedSite(Site):
    """A database behind the proxy."""

    proxy: CuttingProxy


def _lock(db: UnitOfWork, room_id: int) -> None:
    db.get_one(Room, room_id, with_for_update=True)


def _count(db: UnitOfWork, model: type[Message | Reaction | Session | RefreshToken]) -> int:
    return db.scalars(select(func.count()).select_from(model)).one()


def _count_texts(db: UnitOfWork, text: str) -> int:
    return db.scalars(select(func.count()).select_from(Message).where(Message.content == text)).one()


@asynccontextmanager
async def open_site(
    proxied: tuple[str, CuttingProxy], deadlines: Deadlines, heal_seconds: float = 0.0
) -> AsyncIterator[ProxiedSite]:
    url, proxy = proxied
    database = Database(Settings(database_url=url).url, pool_size=2, deadlines=deadlines)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda connection: None)
    ann = await user_named(database, "ann")
    member = await member_of(database, ann, await room_of(database, ann))
    made = ProxiedSite(database, ann, member, Ledger(database), heal_seconds=heal_seconds, proxy=proxy)
    await until_done(lambda: say(made.ledger, member, "first"))
    database.on_commit(made.published.extend)
    yield made
    await asyncio.to_thread(database.close)


async def sends(site: Site) -> None:
    """Counts only its own text: an earlier COMMIT, whose answer was lost, may still be running."""
    text, told = f"hi {len(site.answered)}", len(site.published)
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
    agent = f"test {time.monotonic_ns()}"  # above twenty logins, older ones are deleted
    outcome = await site.cuts(site.database.write(sessions.open_session, site.ann.user_id, agent, DAY_MS))
    found = select(func.count()).select_from(Session).where(Session.user_agent == agent)
    stored = await until_done(lambda: site.database.read(lambda db: db.scalars(found).one()))
    assert stored in {"done": {1}, "unavailable": {0}, "unknown": {0, 1}}[outcome]


async def refreshes(site: Site) -> None:
    login = await site.database.write(sessions.open_session, site.ann.user_id, "test", DAY_MS)
    before = await site.count(RefreshToken)
    chain, lifetimes = TokenChain("k" * 48), Lifetimes(DAY_MS, DAY_MS)
    outcome = await site.cuts(
        site.database.write(refresh_tokens.rotate, login.refresh_token, chain, lifetimes)
    )
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
