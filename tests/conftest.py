"""Fixtures for all tests: real servers and a few users."""

import itertools
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support import watcher
from tests.support.people import Person, sign_up
from tests.support.plain import plain_uvicorn
from tests.support.server import ChatServer

_names = itertools.count(1)


def pytest_configure() -> None:
    """A run that is killed leaves no process behind. Workers of pytest-xdist have watchers of their own."""
    watcher.start()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A server for all tests of a worker. Each test uses its own rooms and users."""
    with ChatServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A server under uvicorn's own protocol class, as `uvicorn app.main:app --reload` starts it."""
    folder = tmp_path_factory.mktemp("plain")
    with plain_uvicorn(folder, "--reload", "--reload-dir", str(folder), "--host", "127.0.0.1") as running:
        yield running


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A server as the section "Production Deployment" sets it up: a strong key and proper CORS origins."""
    key, origins = secrets.token_urlsafe(48), "https://chat.example.com/,capacitor://localhost"
    folder = tmp_path_factory.mktemp("production")
    with ChatServer(folder, environment="production", secret_key=key, cors_origins=origins) as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ChatServer]:
    """A server for one test, which may stop or kill it."""
    with ChatServer(tmp_path) as running:
        yield running


@pytest.fixture
async def alice(server: ChatServer) -> AsyncIterator[Person]:
    person = await sign_up(server, f"alice{next(_names)}")
    yield person
    await person.http.aclose()


@pytest.fixture
async def bob(server: ChatServer) -> AsyncIterator[Person]:
    person = await sign_up(server, f"bob{next(_names)}")
    yield person
    await person.http.aclose()


@pytest.fixture
async def room(alice: Person) -> int:
    """A new, empty room that Alice owns."""
    answer = await alice.http.post("/api/rooms", json={"name": "A quiet room"})
    number: int = answer.json()["id"]
    return number
