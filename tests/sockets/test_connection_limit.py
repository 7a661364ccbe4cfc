"""Connections without a login are bounded for each address, and by the file descriptors there are."""

import resource
import socket
import sys
from pathlib import Path

import httpx
import pytest
import structlog

from app.core.serving.connection_limit import (
    MACOS_DESCRIPTORS,
    RESERVED_DESCRIPTORS,
    ConnectionLimit,
    raise_descriptor_limit,
)
from tests.sockets.http_connection import HttpConnection
from tests.support.people import sign_in
from tests.support.rawclient import HANDSHAKE, raw_client
from tests.support.server import ChatServer

GET = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"
UPGRADE = HANDSHAKE.format(path="/", port=1, headers="").encode()
HERE, NEIGHBOUR, ELSEWHERE = "2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:2::1"


def limit(per_address: int = 2) -> ConnectionLimit:
    return ConnectionLimit(per_address, 1 << 20)


async def test_an_address_has_a_number_of_connections_and_others_are_unaffected() -> None:
    two = limit()
    connections = [HttpConnection(two, address) for address in (HERE, NEIGHBOUR, HERE, ELSEWHERE)]
    assert [connection.status for connection in connections] == [None, None, 429, None]
    assert connections[2].transport.is_closed
    await connections[2].receives(GET)
    assert connections[2].requests == []


async def test_a_connection_that_is_lost_makes_room() -> None:
    two = limit()
    first, second, refused = (HttpConnection(two, HERE) for _ in range(3))
    for lost in (refused, first):
        lost.protocol.connection_lost(None)
    assert [HttpConnection(two, HERE).status, HttpConnection(two, HERE).status] == [None, 429]
    second.protocol.connection_lost(None)


async def test_an_idle_connection_makes_room_for_a_new_one() -> None:
    """Browsers keep some connections open for each page; an office must not be shut out by those."""
    two = limit()
    busy, idle = HttpConnection(two, HERE), HttpConnection(two, HERE)
    await busy.receives(GET[:20])
    await idle.receives(GET)
    assert not idle.transport.is_closed
    assert HttpConnection(two, HERE).status is None
    assert (busy.transport.is_closed, idle.transport.is_closed) == (False, True)
    assert HttpConnection(two, HERE).status == 429


async def test_a_handshake_counts_until_it_is_lost() -> None:
    two = limit()
    first, _ = HttpConnection(two, HERE), HttpConnection(two, HERE)
    await first.receives(UPGRADE)
    assert HttpConnection(two, HERE).status == 429
    first.transport.protocol.connection_lost(None)
    assert HttpConnection(two, HERE).status is None


async def test_this_machine_and_trusted_proxies_have_no_limit() -> None:
    two = limit()
    for address in ("127.0.0.1", "::1", None):
        assert [HttpConnection(two, address).status for _ in range(5)] == [None] * 5
    assert [HttpConnection(limit(0), HERE).status for _ in range(5)] == [None] * 5


async def test_some_descriptors_stay_free_and_a_flood_is_logged_once() -> None:
    with structlog.testing.capture_logs() as lines:
        few = ConnectionLimit(2, RESERVED_DESCRIPTORS + 3)
        assert [few.add(HttpConnection().protocol, ELSEWHERE, total) for total in (3, 4, 5)] == [
            True,
            False,
            False,
        ]
    assert [line["event"] for line in lines] == ["connections.refused"]


async def test_an_open_socket_no_longer_counts(tmp_path: Path) -> None:
    """It has a limit of its own. Loopback counts here, since the test cannot have another address."""
    code = (
        "import sys, app.core.serving.server as server; server.is_loopback = lambda _: False; "
        "import run; sys.exit(run.main())"
    )
    settings = {"connections_per_address": 3, "forwarded_allow_ips": "192.0.2.1"}
    with ChatServer(tmp_path, (sys.executable, "-c", code), **settings) as server:
        user1 = await sign_in(server, "user1", "password123")
        path = f"/ws?token={user1.token}"
        await user1.http.aclose()
        for _ in range(5):
            async with raw_client(server, path) as one, raw_client(server, path) as two:
                await one.hears("ready")
                await two.hears("ready")
                silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
                with pytest.raises(AssertionError):
                    async with raw_client(server, path) as refused:
                        assert refused.head.startswith(b"HTTP/1.1 101 ")
                for connection in silent:
                    connection.close()
                while True:
                    async with raw_client(server, path) as again:
                        if again.head.startswith(b"HTTP/1.1 101 "):
                            break
        assert "connections.refused" in server.log.read_text()


def test_the_limit_of_open_files_is_raised_at_the_start(tmp_path: Path) -> None:
    """With 256 files, 250 connections would shut everyone out."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 4096)); "
        "import run; sys.exit(run.main())"
    )
    with ChatServer(tmp_path, (sys.executable, "-c", code)) as server:
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(400)]
        assert httpx.get(f"{server.url}/health").status_code == 200
        for connection in silent:
            connection.close()
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize(
    "limits, refuses, expected",
    [
        ((256, 4096), [], 4096),
        ((4096, 4096), [], 4096),
        ((256, resource.RLIM_INFINITY), [1 << 20], MACOS_DESCRIPTORS),
        ((256, 4096), [4096, MACOS_DESCRIPTORS], 256),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), [], 1 << 20),
    ],
    ids=["raised", "as it is", "macOS", "refused", "unlimited"],
)
def test_the_limit_is_what_the_system_allows(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], refuses: list[int], expected: int
) -> None:
    def setrlimit(_resource: int, wanted: tuple[int, int]) -> None:
        if wanted[0] in refuses:
            raise ValueError

    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    assert raise_descriptor_limit() == expected
