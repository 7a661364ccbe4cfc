"""Pages of other origins: CORS for requests, and a check of the origin for sockets, which CORS does not cover."""

import json
from pathlib import Path

import httpx
import pytest
import websockets

from tests.support.people import Person, Seat
from tests.support.rawclient import raw_client
from tests.support.server import ChatServer

FOREIGN = [
    "https://evil.example",
    "http://localhost.evil.example",
    "http://evil.example:8000",
    "https://localhost@evil.example",
    "http://127.0.0.1.evil.example",
    "wss://evil.example",
    "javascript:alert(1)",
    "",
]
APPS = [
    "capacitor://localhost",
    "tauri://localhost",
    "ionic://localhost",
    "app://-",
    "file://",
    "null",
    "chrome-extension://abcdef",
]
LOCAL = [
    "http://localhost:3000",
    "http://localhost",
    "https://localhost:8443",
    "http://127.0.0.1:5173",
    "http://[::1]:3000",
    "http://LOCALHOST:3000/",
]
LISTED = ["https://chat.example.com", "HTTPS://Chat.Example.com:443/", "wss://chat.example.com"]

foreign = pytest.mark.parametrize("origin", FOREIGN)
local = pytest.mark.parametrize("origin", LOCAL)
apps = pytest.mark.parametrize("origin", APPS)


async def socket_from(person: Person, origin: str, path: str) -> Seat:
    address = f"{person.server.ws}{path}?token={person.token}"
    return Seat(await websockets.connect(address, additional_headers={"Origin": origin}))


@foreign
async def test_a_socket_from_a_foreign_page_is_closed(alice: Person, origin: str) -> None:
    """After the handshake and with a code, so that the author of the page can see why."""
    for path in ("/ws/chat/1", "/ws"):
        assert await (await socket_from(alice, origin, path)).is_closed() == 4403


async def test_the_origin_is_checked_before_the_token(server: ChatServer) -> None:
    """A foreign page learns nothing about tokens."""
    address = f"{server.ws}/ws?token=nonsense"
    async with websockets.connect(address, additional_headers={"Origin": "https://evil.example"}) as socket:
        assert await Seat(socket).is_closed() == 4403


@local
async def test_a_page_of_this_machine_may_open_a_socket(alice: Person, origin: str) -> None:
    seat = await socket_from(alice, origin, "/ws")
    await seat.hears("ready")
    await seat.socket.close()


async def test_a_client_without_an_origin_may_open_a_socket(alice: Person) -> None:
    async with alice.connects() as seat:
        assert "Origin" not in seat.socket.request.headers  # type: ignore[union-attr]


@apps
async def test_an_app_needs_a_valid_token_and_nothing_else(alice: Person, origin: str) -> None:
    """No page of the web has such an origin, and any client could leave it out."""
    seat = await socket_from(alice, origin, "/ws")
    await seat.hears("ready")
    await seat.socket.close()
    address = f"{alice.server.ws}/ws?token=nonsense"
    async with websockets.connect(address, additional_headers={"Origin": origin}) as socket:
        assert await Seat(socket).is_closed() == 4401


@pytest.mark.parametrize(
    "origin, host, proto, is_own",
    [
        ("wss://chat.test", "chat.test:443", "https", True),
        ("https://chat.test:443", "chat.test", "https", True),
        ("https://chat.test", "chat.test", "http", True),
        ("http://chat.test", "chat.test", "http", True),
        ("http://chat.test", "chat.test", "https", False),
        ("https://chat.test:8443", "chat.test", "https", False),
    ],
)
async def test_a_page_of_the_servers_own_host_may_open_a_socket(
    alice: Person, origin: str, host: str, proto: str, is_own: bool
) -> None:
    """Behind a proxy that ends TLS, and whatever spelling a library has for the port and the scheme."""
    headers = f"Origin: {origin}\r\nX-Forwarded-Proto: {proto}\r\n"
    async with raw_client(alice.server, f"/ws?token={alice.token}", headers, host=host) as client:
        if is_own:
            await client.hears("ready")
        else:
            assert await client.is_closed() == 4403


async def test_a_refused_origin_is_logged_with_what_it_was_compared_to(tmp_path: Path) -> None:
    """On a server of its own: the audit log is limited for each address."""
    with ChatServer(tmp_path) as server:
        headers = {"Origin": "https://shop.example"}
        async with websockets.connect(f"{server.ws}/ws", additional_headers=headers) as socket:
            assert await Seat(socket).is_closed() == 4403
        lines = [json.loads(line) for line in server.log.read_text().splitlines() if "shop.example" in line]
        assert [(line["event"], line["origin"], line["host"]) for line in lines] == [
            ("origin.refused", "https://shop.example", f"127.0.0.1:{server.port}")
        ]


@pytest.mark.parametrize("origin", LISTED)
async def test_a_listed_page_may_read_answers_however_it_is_spelt(
    production: ChatServer, origin: str
) -> None:
    async with httpx.AsyncClient(base_url=production.url) as browser:
        answer = await browser.get("/health", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin


async def test_an_app_reads_answers_if_its_origin_is_listed(production: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=production.url) as app:
        listed = await app.get("/health", headers={"Origin": "capacitor://localhost"})
        other = await app.get("/health", headers={"Origin": "tauri://localhost"})
    assert listed.headers["Access-Control-Allow-Origin"] == "capacitor://localhost"
    assert "Access-Control-Allow-Origin" not in other.headers


@foreign
async def test_a_foreign_page_may_not_read_answers(server: ChatServer, origin: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as browser:
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for answer in (
            await browser.options("/api/auth/login", headers=headers),
            await browser.get("/health", headers={"Origin": origin}),
            await browser.get("/api/rooms", headers={"Origin": origin}),
        ):
            assert "Access-Control-Allow-Origin" not in answer.headers


@local
async def test_a_page_of_this_machine_may_read_answers_but_not_send_cookies(
    server: ChatServer, origin: str
) -> None:
    async with httpx.AsyncClient(base_url=server.url) as browser:
        headers = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
        preflight = await browser.options("/api/messages/1/1", headers=headers)
        answer = await browser.get("/api/rooms", headers={"Origin": origin})
    assert preflight.status_code == 200
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    for one in (preflight, answer):
        assert one.headers["Access-Control-Allow-Origin"] == origin
        assert "Access-Control-Allow-Credentials" not in one.headers
        assert "Origin" in one.headers["Vary"]
    assert {"Link", "Retry-After"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
