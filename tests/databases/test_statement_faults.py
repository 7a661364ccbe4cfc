"""Every statement of every kind of work fails on SQLite, with the errors that SQLite raises.

Nothing after COMMIT can fail, and nothing before it is final: see `test_cuts` for the same on database servers.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.core.database import Database, migrations
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, user_named
from tests.databases.proxied_site import WORKS, Site, reacts
from tests.support.faulty_sqlite import FAILURES, Failure, FaultySqlite

MAX_STATEMENTS = 30
WRITES = {"sends", "sends_with_a_client_id", "edits", "reacts", "logs_in", "refreshes"}


@dataclass
class FaultySite:
    """A site whose SQLite connections fail at a chosen statement."""

    site: Site
    faults: FaultySqlite


@pytest.fixture(params=FAILURES, ids=str)
def failure(request: pytest.FixtureRequest) -> Failure:
    chosen: Failure = request.param
    return chosen


@pytest.fixture
async def faulty(
    failure: Failure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FaultySite]:
    faults = FaultySqlite(failure)
    faults.install(monkeypatch)
    database = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=2)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda connection: None)
    ann = await user_named(database, "ann")
    member = await member_of(database, ann, await room_of(database, ann))
    site = Site(database, ann, member, Ledger(database))
    await say(site.ledger, member, "first")
    database.on_commit(site.published.extend)
    yield FaultySite(site, faults)
    database.close()


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
async def test_a_failure_at_any_statement_leaves_one_outcome_and_a_whole_pool(
    faulty: FaultySite, work: Callable[[Site], Awaitable[None]]
) -> None:
    site, faults = faulty.site, faulty.faults
    turns = 2 if work is reacts else 1  # it puts a reaction and removes it in turns
    for statement in range(1, MAX_STATEMENTS):
        cuts = 0
        for _ in range(turns):
            site.fault = partial(faults.cut, statement)
            await work(site)
            cuts += faults.has_cut
        if not cuts:
            break
    assert not faults.has_cut, "every statement failed once"
    reached = set(faults.failed)
    if work.__name__ in WRITES:
        assert reached >= {"BEGIN", "COMMIT", "ROLLBACK"}
        assert reached & {"INSERT", "UPDATE", "DELETE"}
    else:
        assert reached >= {"BEGIN", "SELECT", "ROLLBACK"}
