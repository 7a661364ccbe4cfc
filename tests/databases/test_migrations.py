"""Migrations create the schema of the models once, however many processes start at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, func, insert, inspect, select

from app.core.config import Settings
from app.core.database import Database, migrations
from app.models import Base, Member, Room, User
from tests.databases.servers import MariaDb
from tests.support.server import DEADLINE, ChatServer


def add_no_samples(connection: Connection) -> None:
    """Insert no sample data."""


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    database = Database(settings.url, pool_size=2)
    try:
        yield database
    finally:
        database.close()


def differences(connection: Connection) -> list[object]:
    found: list[object] = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    return found


def test_migrations_create_the_schema_of_the_models(settings: Settings) -> None:
    with opened(settings) as database:
        migrations.upgrade(database.writer, add_no_samples)
        with database.reader.connect() as connection:
            assert differences(connection) == []
            tables = set(inspect(connection).get_table_names())
    assert tables == {*Base.metadata.tables, "alembic_version"}


def test_a_column_that_no_model_declares_is_found(settings: Settings) -> None:
    with opened(settings) as database:
        migrations.upgrade(database.writer, add_no_samples)
        with database.writer.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE rooms ADD COLUMN colour INTEGER")
            assert "colour" in repr(differences(connection))


def test_upgrading_again_changes_nothing(settings: Settings) -> None:
    calls = []
    for _ in range(2):
        with opened(settings) as database:
            migrations.upgrade(database.writer, lambda connection: calls.append(differences(connection)))
    assert calls == [[], []]


def test_sample_data_that_fails_is_rolled_back(settings: Settings) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(insert(Room).values(name="half", kind="open", created_at=0))
        raise RuntimeError("the power is out")

    with opened(settings) as database:
        with pytest.raises(RuntimeError, match="power"):
            migrations.upgrade(database.writer, fail)
        migrations.upgrade(database.writer, add_no_samples)
        with database.reader.connect() as connection:
            assert connection.execute(select(func.count()).select_from(Room)).scalar_one() == 0


def test_servers_that_start_at_once_insert_sample_data_once(database_url: str, tmp_path: Path) -> None:
    servers = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        servers.append(ChatServer(tmp_path / name, database_url=database_url))
    try:
        with ThreadPoolExecutor() as executor:
            list(executor.map(ChatServer.start, servers))
        assert sum("samples.created" in server.log.read_text() for server in servers) == 1
    finally:
        for server in servers:
            server.__exit__()
    engine = create_engine(Settings(database_url=database_url).url)
    with engine.connect() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (User, Room, Member)
        ]
    engine.dispose()
    assert counts == [3, 3, 3]


@contextmanager
def migration_running(settings: Settings) -> Iterator[None]:
    """A second connection is in the middle of migrating and holds the lock."""
    started, finish = Event(), Event()

    def wait(_connection: Connection) -> None:
        started.set()
        assert finish.wait(DEADLINE)

    with opened(settings) as database, ThreadPoolExecutor() as executor:
        migrating = executor.submit(migrations.upgrade, database.writer, wait)
        assert started.wait(DEADLINE)
        try:
            yield
        finally:
            finish.set()
            migrating.result(DEADLINE)


@pytest.fixture
def two(mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Settings]:
    """Two databases of one server, which share the server's named locks. Migrations wait one second for a lock."""
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 1)
    return Settings(database_url=mariadb.new_database()), Settings(database_url=mariadb.new_database())


@pytest.mark.xdist_group("mariadb")
def test_a_migration_that_cannot_get_the_lock_fails_and_changes_nothing(
    two: tuple[Settings, Settings],
) -> None:
    """MySQL's GET_LOCK returns 0 after its timeout instead of raising an error; the result must be checked."""
    calls: list[Connection] = []
    with opened(two[0]) as database:
        with (
            migration_running(two[0]),
            pytest.raises(migrations.StillMigrating, match=r"Another process.*1 s"),
        ):
            migrations.upgrade(database.writer, calls.append)
        assert calls == []
        migrations.upgrade(database.writer, calls.append)
        assert len(calls) == 1, "the lock was not released by the other migration"


@pytest.mark.xdist_group("mariadb")
def test_migrating_another_database_of_the_same_server_blocks_nothing(two: tuple[Settings, Settings]) -> None:
    with opened(two[0]) as database, migration_running(two[1]):
        migrations.upgrade(database.writer, add_no_samples)


def test_a_lock_name_has_at_most_64_characters_for_the_longest_database_name() -> None:
    """MySQL limits names of databases, and of locks, to 64 characters."""
    assert len(migrations._lock_name("\U0001f5fc" * 64)) <= 64
    assert migrations._lock_name("Chat") == migrations._lock_name("chat") != migrations._lock_name("chat2")
