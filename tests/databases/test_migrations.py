"""From nothing to the tables we need, once, however many processes begin at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, func, insert, inspect, select

from app.core import migrations
from app.core.config import Settings
from app.core.database import Database
from app.models import Base, Member, Room, User
from tests.support.server import ChatServer


def leave(connection: Connection) -> None:
    """No sample data."""


def differences(connection: Connection) -> list[object]:
    found: list[object] = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    return found


def test_the_migrations_make_what_the_models_say(settings: Settings) -> None:
    database = Database(settings.url, pool_size=2)
    migrations.upgrade(database.writer, leave)
    with database.reader.connect() as connection:
        assert differences(connection) == []
        tables = set(inspect(connection).get_table_names())
    assert tables == {*Base.metadata.tables, "alembic_version"}
    database.close()


def test_a_difference_would_be_seen(settings: Settings) -> None:
    database = Database(settings.url, pool_size=2)
    migrations.upgrade(database.writer, leave)
    engine = create_engine(settings.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE rooms ADD COLUMN colour INTEGER")
        assert "colour" in repr(differences(connection))
    engine.dispose()
    database.close()


def test_upgrading_again_changes_nothing(settings: Settings) -> None:
    calls = []
    for _ in range(2):
        database = Database(settings.url, pool_size=2)
        migrations.upgrade(database.writer, lambda connection: calls.append(differences(connection)))
        database.close()
    assert calls == [[], []]


def test_sample_data_that_fails_leaves_nothing_half_done(settings: Settings) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(insert(Room).values(name="half", kind="open", created_at=0))
        raise RuntimeError("the power is out")

    database = Database(settings.url, pool_size=2)
    with pytest.raises(RuntimeError, match="power"):
        migrations.upgrade(database.writer, fail)
    migrations.upgrade(database.writer, leave)
    with database.reader.connect() as connection:
        assert connection.execute(select(func.count()).select_from(Room)).scalar_one() == 0
    database.close()


def test_servers_that_start_together_share_one_set_of_sample_data(database_url: str, tmp_path: Path) -> None:
    servers = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        servers.append(ChatServer(tmp_path / name, database_url=database_url))
    try:
        with ThreadPoolExecutor() as together:
            list(together.map(ChatServer.start, servers))
        assert sum("samples.planted" in server.log.read_text() for server in servers) == 1
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
