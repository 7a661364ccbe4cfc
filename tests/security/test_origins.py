"""Pages of other origins: CORS for requests, and a check of the origin for sockets, which CORS does not cover."""

import httpx
import pytest
import websockets

from tests.support.people import Person, Seat
from tests.support.server import ChatServer

FOREIGN = [
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://evil.example:8000",
    "https://localhost@evil.example",
    "http://127.0.0.1.evil.example",
    "file://",
    "chrome-extension://abcdef",
    "http://localhost:3000/",
    "javascript:alert(1)",
    "",
]
LOCAL = [
    "http://localhost:3000",
    "http://localhost",
    "https://localhost:8443",
    "http://127.0.0.1:5173",
    "http://[::1]:3000",
]

foreign = pytest.mark.parametrize("origin", FOREIGN)
local = pytest.mark.parametrize("origin", LOCAL)


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
