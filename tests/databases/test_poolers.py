"""Behind PgBouncer: nothing is refused, no statement is prepared, and the limits hold in every transaction."""

import asyncio
import os
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from app.core.config import Settings
from app.core.database import Database, UnitOfWork, migrations
from app.core.database.postgresql_sessions import split_options
from app.core.startup import check_database
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, user_named
from tests.databases.pgbouncer import PgBouncer, PoolMode, find_pgbouncer
from tests.databases.servers import Postgres

pytestmark = pytest.mark.xdist_group("postgresql")

MODES: tuple[PoolMode, ...] = ("session", "transaction")
ROUNDS = 8
"""psycopg prepares a statement when it is executed for the sixth time."""
SEEN = text(
    "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),"
    " current_setting('idle_in_transaction_session_timeout'), current_setting('search_path')"
)


@pytest.fixture
def bouncer(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[PgBouncer]:
    if find_pgbouncer() is None and os.environ.get("CI"):
        pytest.fail("CI has no pgbouncer")
    if find_pgbouncer() is None:
        pytest.skip("pgbouncer is not installed (Debian: apt install pgbouncer)")
    mode: PoolMode = request.param
    with PgBouncer(postgres, mode, sessions=2 if mode == "transaction" else 12) as running:
        yield running


def name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def look(db: UnitOfWork) -> tuple[object, ...]:
    return tuple(db.execute(SEEN).one())


@pytest.mark.parametrize("bouncer", MODES, indirect=True)
async def test_everything_works_through_pgbouncer_and_the_limits_hold(
    bouncer: PgBouncer, postgres: Postgres
) -> None:
    url = Settings(database_url=bouncer.url(name_of(postgres.new_database()))).url
    check_database(url)
    database = Database(url, pool_size=6)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda _: None)
    ann = await user_named(database, "ann")
    member = await member_of(database, ann, await room_of(database, ann))
    ledger = Ledger(database)
    for number in range(ROUNDS):
        await say(ledger, member, *(f"message {number}-{one}" for one in range(3)))
        await asyncio.gather(*(database.read(look) for _ in range(6)))
    stored = await database.read(lambda db: db.scalar(text("SELECT count(*) FROM messages")))
    assert stored == 3 * ROUNDS
    for run in (database.read, database.write):
        assert (await run(look))[:3] == ("2s", "5s", "4s")
    await asyncio.to_thread(database.close)


@pytest.mark.parametrize("bouncer", MODES, indirect=True)
async def test_a_statement_that_takes_too_long_is_ended_by_the_server(
    bouncer: PgBouncer, postgres: Postgres
) -> None:
    options = "?options=-cstatement_timeout%3D200ms"
    url = Settings(database_url=bouncer.url(name_of(postgres.new_database()), options)).url
    database = Database(url, pool_size=4)
    with pytest.raises(Exception, match=r"(?s)statement timeout|does not answer"):
        await database.read(lambda db: db.execute(text("SELECT pg_sleep(60)")))
    await asyncio.to_thread(database.close)


@pytest.mark.parametrize("bouncer", MODES, indirect=True)
async def test_options_of_the_address_are_kept(bouncer: PgBouncer, postgres: Postgres) -> None:
    name = name_of(postgres.new_database())
    with psycopg.connect(bouncer.url(name), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA mine")
    options = "?options=-csearch_path%3Dmine%20-c%20lock_timeout%3D3s"
    database = Database(Settings(database_url=bouncer.url(name, options)).url, pool_size=4)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda _: None)
    assert await database.write(look) == ("3s", "5s", "4s", "mine")
    await user_named(database, "ann")
    await asyncio.to_thread(database.close)
    with psycopg.connect(bouncer.url(name), autocommit=True) as connection:
        assert connection.execute("SELECT username FROM mine.users").fetchall() == [("ann",)]


@pytest.mark.parametrize("bouncer", ["transaction"], indirect=True)
async def test_nothing_is_left_in_the_sessions_of_others(bouncer: PgBouncer, postgres: Postgres) -> None:
    """A limit of ours, or a lock of a migration, would stay in a session that other clients get."""
    name = name_of(postgres.new_database())
    for _ in range(2):
        database = Database(Settings(database_url=bouncer.url(name)).url, pool_size=4)
        await asyncio.to_thread(migrations.upgrade, database.writer, lambda _: None)
        await asyncio.gather(*(database.read(look) for _ in range(6)))
        await asyncio.to_thread(database.close)
    with psycopg.connect(bouncer.url(name), autocommit=True) as other:
        assert other.execute("SHOW statement_timeout").fetchall() == [("0",)]
        assert other.execute("SHOW lock_timeout").fetchall() == [("0",)]
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert other.execute(locks).fetchall() == [(0,)]
        assert other.execute("SELECT count(*) FROM pg_prepared_statements").fetchall() == [(0,)]


async def test_without_a_pooler_transactions_are_spared_the_round_trip(postgres: Postgres) -> None:
    database = Database(Settings(database_url=postgres.new_database()).url, pool_size=4)
    await database.read(look)
    assert not database.reader.dispatch.begin
    await asyncio.to_thread(database.close)


@pytest.mark.parametrize(
    "given, settings, rest",
    [
        ("", {}, ""),
        ("-csearch_path=mine", {"search_path": "mine"}, ""),
        ("-c search_path=a,b  --lock-timeout=3s", {"search_path": "a,b", "lock_timeout": "3s"}, ""),
        (r"-c application_name=my\ chat\\x", {"application_name": "my chat\\x"}, ""),
        ("-c a.b=1=2", {"a.b": "1=2"}, ""),
        ("-d 3 -c work_mem=8MB", {"work_mem": "8MB"}, "-d 3"),
        ("-c", {}, "-c"),
        ("-E", {}, "-E"),
    ],
)
def test_options_are_read_as_postgresql_reads_them(given: str, settings: dict[str, str], rest: str) -> None:
    assert split_options(given) == (settings, rest)
