"""Fixtures for hostile input. The server may refuse it, but must not log an error of its own."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.support.people import Person
from tests.support.server import DEADLINE, ChatServer


@pytest.fixture(autouse=True)
def no_error_is_logged(server: ChatServer) -> Iterator[None]:
    """Fail the test if the server logs an error or a traceback, even if the client got a proper answer."""
    before = len(server.log.read_text())
    yield
    log = server.log.read_text()[before:]
    assert '"level": "error"' not in log, log
    assert "Traceback" not in log, log


@pytest.fixture(scope="session")
def grants(server: ChatServer) -> dict[str, dict[str, Any]]:
    """One login per user for all tests of this folder: no test ends it, and each uses its own room."""
    found = {}
    with httpx.Client(base_url=server.url, timeout=DEADLINE) as http:
        for name in ("hostile alice", "innocent bob"):
            body = {"username": name, "password": "correct horse"}
            http.post("/api/auth/signup", json=body).raise_for_status()
            found[name] = http.post("/api/auth/login", json=body).json()
    return found


@pytest.fixture
async def alice(server: ChatServer, grants: dict[str, dict[str, Any]]) -> AsyncIterator[Person]:
    """The user whose client sends hostile input."""
    person = Person(server, "hostile alice", grants["hostile alice"])
    yield person
    await person.http.aclose()


@pytest.fixture
async def bob(server: ChatServer, grants: dict[str, dict[str, Any]]) -> AsyncIterator[Person]:
    """The user who must not be affected."""
    person = Person(server, "innocent bob", grants["innocent bob"])
    yield person
    await person.http.aclose()
