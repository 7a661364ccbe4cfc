"""Servers with known keys and low limits."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.security.forge import KEY
from tests.support.people import Person, sign_in
from tests.support.server import ChatServer


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A server that signs tokens with a known key."""
    with ChatServer(tmp_path_factory.mktemp("keyed"), secret_key=KEY) as running:
        yield running


@pytest.fixture(scope="session")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A server with low limits on logins, sockets and commands."""
    limits = {"logins_per_minute": 3, "sockets_per_user": 2, "sockets_per_address": 3}
    pace = {"commands_per_second": 50, "command_burst": 20}
    with ChatServer(tmp_path_factory.mktemp("limited"), (), **limits, **pace) as running:
        yield running


@pytest.fixture
async def mallory(keyed: ChatServer) -> AsyncIterator[Person]:
    """User 1 of the keyed server, an attacker."""
    person = await sign_in(keyed, "user1", "password123")
    yield person
    await person.http.aclose()
