"""From nothing to the tables we need, once, however many processes begin at the same time."""

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
from tests.databases.engines import MariaDb
from tests.support.server import DEADLINE, ChatServer


def leave(connection: Connection) -> None:
    """No sample data."""


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


def test_the_migrations_make_what_the_models_say(settings: Settings) -> None:
    with opened(settings) as database:
        migrations.upgrade(database.writer, leave)
        with database.reader.connect() as connection:
            assert differences(connection) == []
            tables = set(inspect(connection).get_table_names())
    assert tables == {*Base.metadata.tables, "alembic_version"}


def test_a_difference_would_be_seen(settings: Settings) -> None:
    with opened(settings) as database:
        migrations.upgrade(database.writer, leave)
        with database.writer.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE rooms ADD COLUMN colour INTEGER")
            assert "colour" in repr(differences(connection))


def test_upgrading_again_changes_nothing(settings: Settings) -> None:
    calls = []
    for _ in range(2):
        with opened(settings) as database:
            migrations.upgrade(database.writer, lambda connection: calls.append(differences(connection)))
    assert calls == [[], []]


def test_sample_data_that_fails_leaves_nothing_half_done(settings: Settings) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(insert(Room).values(name="half", kind="open", created_at=0))
        raise RuntimeError("the power is out")

    with opened(settings) as database:
        with pytest.raises(RuntimeError, match="power"):
            migrations.upgrade(database.writer, fail)
        migrations.upgrade(database.writer, leave)
        with database.reader.connect() as connection:
            assert connection.execute(select(func.count()).select_from(Room)).scalar_one() == 0


def test_servers_that_start_together_share_one_set_of_sample_data(database_url: str, tmp_path: Path) -> None:
    servers = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        servers.append(ChatServer(tmp_path / name, database_url=database_url))
    try:
        with ThreadPoolExecutor() as together:
            list(together.map(ChatServer.start, servers))
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
def at_it(settings: Settings) -> Iterator[None]:
    """Another process is in the middle of migrating."""
    begun, end = Event(), Event()

    def stay(_connection: Connection) -> None:
        begun.set()
        assert end.wait(DEADLINE)

    with opened(settings) as database, ThreadPoolExecutor() as other:
        migrating = other.submit(migrations.upgrade, database.writer, stay)
        assert begun.wait(DEADLINE)
        try:
            yield
        finally:
            end.set()
            migrating.result(DEADLINE)


@pytest.fixture
def two(mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Settings]:
    """Two databases of one server. MySQL's locks are the server's, and here they are waited for one second."""
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 1)
    return Settings(database_url=mariadb.new_database()), Settings(database_url=mariadb.new_database())


@pytest.mark.xdist_group("mariadb")
def test_who_does_not_get_the_lock_says_so_and_touches_nothing(two: tuple[Settings, Settings]) -> None:
    """MySQL's locks are waited for only so long; then there is an answer, and it has to be read."""
    calls: list[Connection] = []
    with opened(two[0]) as database:
        with at_it(two[0]), pytest.raises(migrations.StillMigrating, match=r"Another process.*1 s"):
            migrations.upgrade(database.writer, calls.append)
        assert calls == []
        migrations.upgrade(database.writer, calls.append)
        assert len(calls) == 1, "once the other is done, it works"


@pytest.mark.xdist_group("mariadb")
def test_another_database_of_the_same_server_is_not_waited_for(two: tuple[Settings, Settings]) -> None:
    with opened(two[0]) as database, at_it(two[1]):
        migrations.upgrade(database.writer, leave)


def test_the_name_of_a_lock_fits_whatever_the_database_is_called() -> None:
    """64 characters of four bytes each is what MySQL calls a database at most, and its locks too."""
    assert len(migrations._lock_name("\U0001f5fc" * 64)) <= 64
    assert migrations._lock_name("Chat") == migrations._lock_name("chat") != migrations._lock_name("chat2")
