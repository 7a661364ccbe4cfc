"""A client that never reads costs itself its connection, and nobody else anything."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from app.websocket.hub.slow_listeners import HARD_LIMIT_FACTOR
from tests.support.people import Person, sign_in
from tests.support.plain import plain_uvicorn
from tests.support.rawclient import raw_client
from tests.support.server import ChatServer

LONG = "😀" * 8_000
"""A message of 32,000 bytes."""
MANY = 600
"""Of those: 19.2 MB, of which the kernel takes at most 4 for each listener."""
BUFFER = 131_072
"""What may wait for a listener, in bytes; for a moment sixteen times as much."""
SLEEPERS = 2
MOST_KB = 2 * SLEEPERS * HARD_LIMIT_FACTOR * BUFFER // 1024 + 2_048
"""By how much the server may grow because of them, in kilobytes: twice what waits, since what comes and goes between it
leaves holes in the heap, and some air. If everybody reads, it grows by 0.2 MB."""
GENERAL = 1
PLACES = 3


def forgets_its_peak(server: ChatServer) -> None:
    """From here on the peak of its memory is counted anew (proc_pid_clear_refs(5))."""
    assert server.process is not None
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


def peak(server: ChatServer) -> int:
    """The most memory the server has had, in kilobytes (`VmHWM` of proc_pid_status(5))."""
    assert server.process is not None
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


@pytest.fixture(params=["ours", "plain"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChatServer]:
    """Our own server or plain uvicorn, with three places for each user."""
    ours = request.param == "ours"
    limits = {"sockets_per_user": PLACES, "max_send_buffer_bytes": BUFFER}
    server = ChatServer(tmp_path, (), **limits) if ours else plain_uvicorn(tmp_path, **limits)
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


async def test_others_hear_everything_memory_is_bounded_and_places_become_free(
    either: ChatServer, record_property: Callable[[str, object], None]
) -> None:
    user1, user2 = [await sign_in(either, name, "password123") for name in ("user1", "user2")]
    await talk(user1, user2, GENERAL, MANY)  # as much fills the database's cache, which is none of theirs
    forgets_its_peak(either)
    before = peak(either)
    path = f"/ws/chat/{GENERAL}?token={user2.token}"
    async with (
        raw_client(either, path, receive_buffer=4096) as who_reads_again,
        raw_client(either, path, receive_buffer=4096) as who_never_does,
    ):
        for sleeper in (who_reads_again, who_never_does):
            await sleeper.hears("ready")
            sleeper.stops_reading()
        await talk(user1, user2, GENERAL, MANY)
        grown = peak(either) - before
        record_property("peak_kb_above_idle", grown)
        print(f"two listeners that stop reading: the server grows by {grown} kB at most, from {before} kB")
        assert grown < MOST_KB
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
