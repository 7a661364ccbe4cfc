"""A server with tight limits, for tests that would take much time or data with the default settings."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.people import Person, sign_up
from tests.support.server import ChatServer

MAX_FRAME = 2_000


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A server that accepts frames of at most 2,000 bytes and sends a ping every second."""
    with ChatServer(
        tmp_path_factory.mktemp("tight"), max_frame_bytes=MAX_FRAME, ping_interval_seconds=1
    ) as running:
        yield running


@pytest.fixture
async def carol(tight: ChatServer, request: pytest.FixtureRequest) -> AsyncIterator[Person]:
    """A user of the tight server."""
    person = await sign_up(tight, f"carol{abs(hash(request.node.name))}"[:60])
    yield person
    await person.http.aclose()


@pytest.fixture
async def den(carol: Person) -> int:
    """A room that Carol owns."""
    answer = await carol.http.post("/api/rooms", json={"name": "Den"})
    number: int = answer.json()["id"]
    return number
