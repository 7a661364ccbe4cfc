"""Every test of this folder runs on SQLite, on PostgreSQL and on MariaDB, each time with a new database."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.core import migrations
from app.core.config import Settings
from app.core.database import Database
from tests.databases.engines import MariaDb, Postgres, find_mariadb
from tests.support.server import ChatServer

KINDS = [
    pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in ("sqlite", "postgresql", "mariadb")
]
"""A worker for each, so that each server is started once."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    if find_mariadb() is None and os.environ.get("CI"):
        pytest.fail("CI has no mariadbd")
    if find_mariadb() is None:
        pytest.skip("there is no mariadbd on this machine (Debian: apt install mariadb-server-core)")
    server = MariaDb()
    yield server
    server.close()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, as somebody would put it into DATABASE_URL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'chat.db'}"
    server: Postgres | MariaDb = request.getfixturevalue(
        {"postgresql": "postgres", "mariadb": "mariadb"}[request.param]
    )
    return server.new_database()


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """A database with our tables, and nothing in them."""
    made = Database(settings.url, pool_size=5)
    await asyncio.to_thread(migrations.upgrade, made.writer, lambda connection: None)
    yield made
    made.close()


@pytest.fixture
def chat(database_url: str, tmp_path: Path) -> Iterator[ChatServer]:
    """A server on this database."""
    with ChatServer(tmp_path, database_url=database_url) as running:
        yield running
