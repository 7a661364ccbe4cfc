"""Whatever comes in, the server has nothing to complain about: a refusal is no error of ours."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.support.people import Person
from tests.support.server import DEADLINE, ChatServer


@pytest.fixture(autouse=True)
def nothing_breaks(server: ChatServer) -> Iterator[None]:
    """No error and no traceback in the log, however politely the client was answered."""
    before = len(server.log.read_text())
    yield
    said = server.log.read_text()[before:]
    assert '"level": "error"' not in said, said
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def grants(server: ChatServer) -> dict[str, dict[str, Any]]:
    """One login for all these tests: none of them ends it, and each has a room of its own."""
    found = {}
    with httpx.Client(base_url=server.url, timeout=DEADLINE) as http:
        for name in ("hostile alice", "innocent bob"):
            body = {"username": name, "password": "correct horse"}
            http.post("/api/auth/signup", json=body).raise_for_status()
            found[name] = http.post("/api/auth/login", json=body).json()
    return found


@pytest.fixture
async def alice(server: ChatServer, grants: dict[str, dict[str, Any]]) -> AsyncIterator[Person]:
    """Whose client is broken, or worse."""
    person = Person(server, "hostile alice", grants["hostile alice"])
    yield person
    await person.http.aclose()


@pytest.fixture
async def bob(server: ChatServer, grants: dict[str, dict[str, Any]]) -> AsyncIterator[Person]:
    """Who must not notice."""
    person = Person(server, "innocent bob", grants["innocent bob"])
    yield person
    await person.http.aclose()
