"""A client that stops reading loses its connection and does not affect other clients."""

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

LONG_MESSAGE = "😀" * 8_000
"""A message of 32,000 bytes."""
MESSAGES = 600
"""Messages: 19.2 MB together, of which the kernel buffers at most 4 MB for each listener."""
BUFFER = 131_072
"""Bytes that may wait for a listener; for a moment sixteen times as many."""
STALLED_LISTENERS = 2
MAX_GROWTH_KB = 2 * STALLED_LISTENERS * HARD_LIMIT_FACTOR * BUFFER // 1024 + 2_048
"""Kilobytes by which they may make the server grow: twice the waiting bytes, because of heap fragmentation, and a
margin. If all listeners read, it grows by 0.2 MB."""
GENERAL = 1
SOCKETS_PER_USER = 3


def reset_peak(server: ChatServer) -> None:
    """Reset the server's record of its peak_kb memory (proc_pid_clear_refs(5))."""
    assert server.process is not None
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


def peak_kb(server: ChatServer) -> int:
    """The server's peak_kb memory in kilobytes (`VmHWM` of proc_pid_status(5))."""
    assert server.process is not None
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


@pytest.fixture(params=["ours", "plain"])
def any_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChatServer]:
    """This server or plain uvicorn, with three sockets for each user."""
    ours = request.param == "ours"
    limits = {"sockets_per_user": SOCKETS_PER_USER, "max_send_buffer_bytes": BUFFER}
    server = ChatServer(tmp_path, (), **limits) if ours else plain_uvicorn(tmp_path, **limits)
    with server as running:
        yield running


async def talk(speaker: Person, listener: Person, room: int, count: int) -> None:
    """One user sends, the other receives everything."""
    async with speaker.enters(room) as here, listener.enters(room) as there:
        for number in range(count):
            await here.says(f"{number} {LONG_MESSAGE}"[: len(LONG_MESSAGE)])
            heard = await there.hears("message")
            assert heard["message"].startswith(f"{number} ")
            await here.hears("message", id=heard["id"])


async def test_stalled_listeners_are_closed_memory_stays_bounded_and_others_miss_nothing(
    any_server: ChatServer, record_property: Callable[[str, object], None]
) -> None:
    user1, user2 = [await sign_in(any_server, name, "password123") for name in ("user1", "user2")]
    await talk(
        user1, user2, GENERAL, MESSAGES
    )  # the same load once before, so that filled caches do not count as growth
    reset_peak(any_server)
    before = peak_kb(any_server)
    path = f"/ws/chat/{GENERAL}?token={user2.token}"
    async with (
        raw_client(any_server, path, receive_buffer=4096) as resuming,
        raw_client(any_server, path, receive_buffer=4096) as stalled,
    ):
        for client in (resuming, stalled):
            await client.hears("ready")
            client.stops_reading()
        await talk(user1, user2, GENERAL, MESSAGES)
        grown = peak_kb(any_server) - before
        record_property("peak_kb_above_idle", grown)
        print(
            f"with two listeners that stopped reading, the server grew by at most {grown} kB, from {before} kB"
        )
        assert grown < MAX_GROWTH_KB
        resuming.reads_again()
        assert await resuming.is_closed() in (4408, None), (
            "closed with a code, or cut off if it resumed too late"
        )
        async with asyncio.timeout(30):
            while not await can_open(SOCKETS_PER_USER, any_server, path):
                await asyncio.sleep(0.5)
    for person in (user1, user2):
        await person.http.aclose()


async def can_open(sockets: int, server: ChatServer, path: str) -> bool:
    """Whether the user can open this many sockets at the same time."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server, path)) for _ in range(sockets)]
        first = [await client.next_frame() for client in clients]
    return all(b'"ready"' in payload for _, payload in first)
