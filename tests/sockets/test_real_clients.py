"""The handshakes and requests of real clients and proxies work, as a production server hears them."""

import asyncio
import json
from dataclasses import dataclass

import httpx
import pytest

from tests.sockets.real_clients import FOREIGN, HANDSHAKES, KEY, REQUESTS
from tests.support.people import PATIENCE
from tests.support.rawclient import CLOSE, TEXT, RawClient
from tests.support.server import ChatServer

LOGIN = {"username": "wanderer", "password": "a lantern in the fog"}


@dataclass(frozen=True, slots=True)
class Account:
    server: ChatServer
    token: str

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.server.port}"


@pytest.fixture(scope="module")
def account(production: ChatServer) -> Account:
    with httpx.Client(base_url=production.url, timeout=PATIENCE) as http:
        http.post("/api/auth/signup", json=LOGIN)
        answer = http.post("/api/auth/login", json=LOGIN).raise_for_status()
    return Account(production, answer.json()["access_token"])


async def talk(server: ChatServer, request: str) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a request; its answer's head, and the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request.replace("\n", "\r\n").encode())
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE), reader, writer


def handshake(account: Account, headers: str) -> str:
    filled = headers.format(authority=account.authority, key=KEY).rstrip("\n")
    return f"GET /ws?token={account.token} HTTP/1.1\n{filled}\n\n"


@pytest.mark.parametrize("headers", HANDSHAKES.values(), ids=HANDSHAKES)
async def test_the_handshake_of_a_real_client_is_accepted(account: Account, headers: str) -> None:
    head, reader, writer = await talk(account.server, handshake(account, headers))
    try:
        assert head.startswith(b"HTTP/1.1 101 "), head
        opcode, payload = await RawClient(reader, writer).next_frame()
        assert opcode == TEXT
        assert json.loads(payload)["type"] == "ready"
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN)
async def test_a_foreign_page_is_refused(account: Account, origin: str) -> None:
    headers = HANDSHAKES["Chrome"].replace("Origin: http://{authority}", f"Origin: {origin}")
    _, reader, writer = await talk(account.server, handshake(account, headers))
    try:
        client = RawClient(reader, writer)
        while (frame := await client.next_frame())[0] != CLOSE:
            pass
        assert int.from_bytes(frame[1][:2], "big") == 4403
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("request_text", REQUESTS.values(), ids=REQUESTS)
async def test_the_request_of_a_real_client_is_understood(account: Account, request_text: str) -> None:
    body = json.dumps(LOGIN)
    filled = request_text.format(
        path="/api/auth/login",
        authority=account.authority,
        body=body,
        length=len(body),
        hex_length=f"{len(body):x}",
    )
    head, _, writer = await talk(account.server, filled)
    try:
        assert head.startswith(b"HTTP/1.1 200 "), head
    finally:
        writer.transport.abort()
