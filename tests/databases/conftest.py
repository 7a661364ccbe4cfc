"""Tests in this folder run on SQLite, PostgreSQL and MariaDB, each with a new database."""

import asyncio
import itertools
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.core.config import Settings
from app.core.database import Database, migrations
from tests.databases.servers import MariaDb, Postgres, find_mariadb
from tests.support.cutting_proxy import CuttingProxy
from tests.support.people import Person, sign_up
from tests.support.server import ChatServer

KINDS = [
    pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in ("sqlite", "postgresql", "mariadb")
]
"""One xdist worker per kind, so that each database server is started once."""

_names = itertools.count(1)


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
        pytest.skip("mariadbd is not installed (Debian: apt install mariadb-server-core)")
    server = MariaDb()
    yield server
    server.close()


def new_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty database, as an operator would set DATABASE_URL."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'chat.db'}"
    server: Postgres | MariaDb = request.getfixturevalue({"postgresql": "postgres"}.get(kind, kind))
    return server.new_database()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return new_database(request.param, request, tmp_path)


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
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """A migrated database without rows."""
    migrated = Database(settings.url, pool_size=5)
    await asyncio.to_thread(migrations.upgrade, migrated.writer, lambda connection: None)
    yield migrated
    migrated.close()


@pytest.fixture(scope="session", params=KINDS)
def chat(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A chat server on each database, shared by all tests; each test uses its own users and rooms."""
    folder = tmp_path_factory.mktemp(request.param)
    with ChatServer(folder, database_url=new_database(request.param, request, folder)) as running:
        yield running


@pytest.fixture
async def ann(chat: ChatServer) -> AsyncIterator[Person]:
    person = await sign_up(chat, f"ann {next(_names)}")
    yield person
    await person.http.aclose()


@pytest.fixture
async def room(ann: Person) -> int:
    number: int = (await ann.http.post("/api/rooms", json={"name": "Tower of Babel 🗼"})).json()["id"]
    return number
