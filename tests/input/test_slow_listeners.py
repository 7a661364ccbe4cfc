"""A client that never reads costs itself its connection, and nobody else anything."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.people import Person, sign_in
from tests.support.plain import plain_uvicorn
from tests.support.rawclient import raw_client
from tests.support.server import ChatServer

LONG = "😀" * 8_000
"""A message of 32,000 bytes."""
MANY = 600
"""Of those: 19.2 MB, of which the kernel takes at most 4 for each listener, and the server 1 MiB."""
MOST_KB = 14_000
"""By how much the server may grow while it is busy, in kilobytes."""
GENERAL = 1
PLACES = 3


def resident(server: ChatServer) -> int:
    """The server's memory in kilobytes, and its children's (a reloader serves from a child)."""
    assert server.process is not None
    main = server.process.pid
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in (main, *children)]
    return sum(int(line.split()[1]) for text in texts for line in text.splitlines() if line[:6] == "VmRSS:")


@pytest.fixture(params=["ours", "plain"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChatServer]:
    """Our own server or plain uvicorn, with three places for each user."""
    ours = request.param == "ours"
    server = (ChatServer if ours else plain_uvicorn)(tmp_path, sockets_per_user=PLACES)
    with server as running:
        yield running


async def talk(speaker: Person, listener: Person, room: int, count: int) -> None:
    """One speaks, the other hears it all."""
    async with speaker.enters(room) as here, listener.enters(room) as there:
        for number in range(count):
            await here.says(f"{number} {LONG}"[: len(LONG)])
            heard = await there.hears("message")
            assert heard["message"].startswith(f"{number} ")
            await here.hears("message", id=heard["id"])


async def test_others_hear_everything_memory_is_bounded_and_places_become_free(either: ChatServer) -> None:
    user1, user2 = [await sign_in(either, name, "password123") for name in ("user1", "user2")]
    await talk(user1, user2, GENERAL, 20)
    before = resident(either)
    path = f"/ws/chat/{GENERAL}?token={user2.token}"
    async with (
        raw_client(either, path, receive_buffer=4096) as who_reads_again,
        raw_client(either, path, receive_buffer=4096) as who_never_does,
    ):
        for sleeper in (who_reads_again, who_never_does):
            await sleeper.hears("ready")
            sleeper.stops_reading()
        await talk(user1, user2, GENERAL, MANY)
        assert resident(either) - before < MOST_KB
        who_reads_again.reads_again()
        assert await who_reads_again.is_closed() in (4408, None), (
            "told why, or cut off because it was too late"
        )
        async with asyncio.timeout(30):
            while not await are_free(PLACES, either, path):
                await asyncio.sleep(0.5)
    for person in (user1, user2):
        await person.http.aclose()


async def are_free(places: int, server: ChatServer, path: str) -> bool:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server, path)) for _ in range(places)]
        first = [await client.next_frame() for client in clients]
    return all(b'"ready"' in payload for _, payload in first)
