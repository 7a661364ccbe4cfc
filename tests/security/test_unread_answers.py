"""Answers that clients ask for and do not read have a budget of memory, for each user and each address."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing

import httpx
import pytest

from app.routers.http.unread_answers import SMALL_BYTES, USER_BYTES
from app.services.messages import ANSWER_BYTES
from tests.support.people import Person, sign_up
from tests.support.server import DEADLINE, ChatServer

LONG = "x" + "\x01" * 7_999
MESSAGES = 25
"""Together more than fit into one answer."""
ANSWERS = 30
IN_KERNEL = 6 << 20
"""Bytes that the kernels at both ends may take of one answer are fewer than this, for all of them together."""


@pytest.fixture
async def reader(server: ChatServer) -> AsyncIterator[Person]:
    person = await sign_up(server, f"reader {time.monotonic_ns()}")
    yield person
    await person.http.aclose()


@pytest.fixture
async def long_room(reader: Person) -> int:
    number: int = (await reader.http.post("/api/rooms", json={"name": "Long texts"})).json()["id"]
    for _ in range(MESSAGES):
        (await reader.http.post(f"/api/messages/{number}", json={"content": LONG})).raise_for_status()
    return number


def request(server: ChatServer, room: int, token: str) -> socket.socket:
    """Ask for a page of a megabyte, and read nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    head = f"GET /api/messages/{room}?limit=200 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    client.sendall(f"{head}Connection: close\r\n\r\n".encode())
    client.settimeout(DEADLINE)
    return client


def whole_answer(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65_536), b""))


async def test_unread_answers_of_one_user_are_refused_above_a_budget(
    server: ChatServer, reader: Person, long_room: int, bob: Person
) -> None:
    page = f"/api/messages/{long_room}?limit=200"
    assert ANSWER_BYTES // 2 < len((await reader.http.get(page)).content) <= ANSWER_BYTES
    with ExitStack() as stack:
        clients = [
            stack.enter_context(closing(request(server, long_room, reader.token))) for _ in range(ANSWERS)
        ]
        refused = await until_status(reader, page, 429)
        assert refused.json()["code"] == "too_much_unread"
        assert refused.headers["retry-after"] == "1"
        assert (await reader.http.get("/api/auth/me")).status_code == 200, "small answers are not counted"
        assert (await bob.http.get(page)).status_code == 200, "another user has a budget of their own"
        answers = await asyncio.gather(*(asyncio.to_thread(whole_answer, client) for client in clients))
    served = [answer for answer in answers if answer.startswith(b"HTTP/1.1 200")]
    assert {answer.split(b"\r\n")[0] for answer in answers} == {
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 429 Too Many Requests",
    }
    assert {len(answer) > SMALL_BYTES for answer in served} == {True}, "what was begun is sent to its end"
    assert len(served) * ANSWER_BYTES <= 2 * USER_BYTES + IN_KERNEL
    await until_status(reader, page, 200)


async def test_answers_to_clients_that_left_are_not_counted(
    server: ChatServer, reader: Person, long_room: int
) -> None:
    page = f"/api/messages/{long_room}?limit=200"
    clients = [request(server, long_room, reader.token) for _ in range(ANSWERS)]
    await until_status(reader, page, 429)
    for client in clients:
        client.close()
    await until_status(reader, page, 200)


async def until_status(person: Person, page: str, status: int) -> httpx.Response:
    async with asyncio.timeout(DEADLINE):
        while True:
            answer = await person.http.get(page)
            if answer.status_code == status:
                return answer
            await asyncio.sleep(0.05)
