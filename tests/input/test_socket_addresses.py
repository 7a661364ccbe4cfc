"""Addresses of sockets: unknown ones, plain requests to them, and where the token is found."""

import httpx
import pytest

from tests.support.people import Person
from tests.support.problems import check_problem
from tests.support.rawclient import CLOSE, TEXT, raw_client
from tests.support.server import ChatServer

UNKNOWN = [
    "/",
    "/socket",
    "/ws/chat",
    "/ws/chat/1/2",
    "/ws/nothing",
    "/api/rooms",
    "/static/x",
    "/docs",
    "/%00",
    "//",
]


@pytest.mark.parametrize("path", UNKNOWN)
async def test_an_unknown_socket_is_accepted_and_closed_with_4404(
    server: ChatServer, plain: ChatServer, path: str
) -> None:
    """A browser that is refused with a status sees 1006, for which it is to reconnect."""
    for host in (server, plain):
        async with raw_client(host, path) as client:
            assert client.head.startswith(b"HTTP/1.1 101 ")
            opcode, payload = await client.next_frame()
        assert (opcode, payload[:2]) == (CLOSE, (4404).to_bytes(2, "big"))
        assert payload[2:].startswith(b"There is no socket at this address")


@pytest.mark.parametrize("path", ["/ws", "/ws/chat/1", "/ws/chat/1/"])
async def test_a_plain_request_to_a_socket_is_told_what_is_missing(server: ChatServer, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.get(path)
        assert check_problem(answer, 426) == "upgrade_required"
        assert answer.headers["Upgrade"] == "websocket"
        assert answer.headers["Connection"] == "Upgrade"
        assert "WebSocket" in answer.json()["detail"]
        assert (await http.get("/health")).status_code == 200
        assert check_problem(await http.post(path), 405) == "method_not_allowed"


LISTS = ["bearer, {}", "chat.v1, bearer, {}", "bearer, {}, chat.v1", "{}, bearer", "bearer, chat.v1, {}"]


@pytest.mark.parametrize("offered", LISTS)
async def test_the_token_is_found_anywhere_among_the_subprotocols(
    alice: Person, room: int, offered: str
) -> None:
    headers = f"Sec-WebSocket-Protocol: {offered.format(alice.token)}\r\n"
    async with raw_client(alice.server, f"/ws/chat/{room}", headers) as client:
        assert b"\r\nsec-websocket-protocol: bearer\r\n" in client.head.lower()
        await client.hears("ready")


async def test_bearer_is_answered_wherever_the_token_is(alice: Person) -> None:
    """A browser that offers subprotocols and is answered with none closes the connection."""
    for path, extra in (
        (f"/ws?token={alice.token}", ""),
        ("/ws", f"Authorization: Bearer {alice.token}\r\n"),
    ):
        async with raw_client(
            alice.server, path, f"Sec-WebSocket-Protocol: chat, bearer\r\n{extra}"
        ) as client:
            assert b"\r\nsec-websocket-protocol: bearer\r\n" in client.head.lower()
            await client.hears("ready")
    async with raw_client(
        alice.server, f"/ws?token={alice.token}", "Sec-WebSocket-Protocol: chat\r\n"
    ) as client:
        assert b"sec-websocket-protocol" not in client.head.lower()
        assert (await client.next_frame())[0] == TEXT


@pytest.mark.parametrize(
    "offered", ["bearer", "bearer, wrong", "wrong, bearer", "chat, bearer, a.b.c", "chat"]
)
async def test_a_list_without_a_valid_token_is_refused(server: ChatServer, offered: str) -> None:
    async with raw_client(server, "/ws", f"Sec-WebSocket-Protocol: {offered}\r\n") as client:
        assert (b"sec-websocket-protocol: bearer" in client.head.lower()) is ("bearer" in offered)
        assert await client.is_closed() == 4401
