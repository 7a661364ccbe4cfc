"""PostgreSQL fails under load: acknowledged messages are stored, none is stored twice, and each error code tells the
client correctly whether its message was stored."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.databases.servers import Postgres
from tests.support.people import Person, Seat, sign_up
from tests.support.server import ChatServer, wait_until

pytestmark = pytest.mark.xdist_group("postgresql")

SENDERS, EACH, CUTS = 6, 60, 25


@dataclass
class Verdicts:
    """How the server answered each message. Messages are identified by their content, which is unique."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Answered with `database_unavailable`: not stored."""
    unknown: set[str] = field(default_factory=set)
    """Answered with `unknown`: may be stored."""
    retries: int = 0


async def test_terminated_database_connections_lose_and_duplicate_no_message(
    postgres: Postgres, tmp_path: Path
) -> None:
    with ChatServer(tmp_path, database_url=postgres.new_database()) as server:
        ann = await sign_up(server, "ann")
        room = (await ann.http.post("/api/rooms", json={"name": "Storm"})).json()["id"]
        verdicts = Verdicts()
        sending = asyncio.gather(*(send_all(ann, room, number, verdicts) for number in range(SENDERS)))
        cuts = 0
        while not sending.done() and cuts < CUTS:
            cuts += await asyncio.to_thread(postgres.terminate_connections) > 0
            await asyncio.sleep(0.03)
        await sending
        assert cuts > 3, "too few connections were terminated during the burst"
        assert verdicts.retries + len(verdicts.refused) + len(verdicts.unknown) > 0, (
            "no sender noticed a terminated connection"
        )
        await assert_history_agrees(ann, room, verdicts)
        await ann.http.aclose()


async def send_all(person: Person, room: int, sender: int, verdicts: Verdicts) -> None:
    """Send messages one by one; every second one has a `client_id` and is sent again until it is acknowledged."""
    async with person.connects() as seat:
        for number in range(EACH):
            content = f"sender {sender} message {number}"
            while not await is_settled(
                seat, room, content, verdicts, client_id=content if number % 2 else None
            ):
                verdicts.retries += 1


async def is_settled(seat: Seat, room: int, content: str, verdicts: Verdicts, client_id: str | None) -> bool:
    """Send a message and record the answer. Returns whether it needs no retry."""
    await seat.says(content, room_id=room, client_id=client_id, ref=content)
    answer = await seat.next()
    while answer.get("ref") != content:
        answer = await seat.next()
    if answer["type"] == "ack":
        verdicts.acknowledged[content] = answer["id"]
        return True
    assert answer["code"] in {"unknown", "database_unavailable"}, answer
    if client_id is None:
        (verdicts.unknown if answer["code"] == "unknown" else verdicts.refused).add(content)
    return client_id is None


async def assert_history_agrees(person: Person, room: int, verdicts: Verdicts) -> None:
    """The history contains exactly the messages that the answers promised."""
    history = [
        message for after in (0, 200) for message in await person.history(room, after=after, limit=200)
    ]
    assert [message["id"] for message in history] == list(range(1, len(history) + 1))
    stored = {message["message"]: message["id"] for message in history}
    assert max(Counter(message["message"] for message in history).values()) == 1, "a message is stored twice"
    assert verdicts.acknowledged.items() <= stored.items(), "an acknowledged message is lost"
    assert not verdicts.refused & stored.keys(), "a refused message is stored"
    assert stored.keys() <= verdicts.acknowledged.keys() | verdicts.unknown


async def test_during_an_outage_every_request_fails_with_an_error_and_every_socket_stays_open(
    postgres: Postgres, tmp_path: Path
) -> None:
    with ChatServer(tmp_path, database_url=postgres.new_database()) as server:
        ann = await sign_up(server, "ann")
        room = (await ann.http.post("/api/rooms", json={"name": "Quiet"})).json()["id"]
        async with ann.enters(room) as seat:
            await asyncio.to_thread(postgres.stop)
            try:
                await assert_unavailable(server, ann, seat, room)
            finally:
                await asyncio.to_thread(postgres.start)
            await asyncio.to_thread(wait_until, lambda: health(server) == 200, "the server to be healthy")
            await seat.says("back again", client_id="c1")
            assert (await seat.hears("message"))["id"] == 1
            await ann.get("/api/rooms")
        await ann.http.aclose()


def health(server: ChatServer) -> int:
    return httpx.get(f"{server.url}/health", timeout=10).status_code


async def assert_unavailable(server: ChatServer, person: Person, seat: Seat, room: int) -> None:
    """REST answers 503, commands that need the database get an error, and the socket still answers a ping."""
    assert await asyncio.to_thread(health, server) == 503
    for answer in (
        await person.http.get("/api/rooms"),
        await person.http.post(f"/api/messages/{room}", json={"content": "hi"}),
        await person.http.post("/api/auth/signup", json={"username": "bob", "password": "correct horse"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer.headers["content-type"] == "application/problem+json"
    for command in ({"type": "message", "content": "hi"}, {"type": "read", "id": 1}):
        await seat.does(**command, ref="r")
        assert (await seat.hears("error", ref="r"))["code"] == "database_unavailable"
    await seat.does("ping")
    await seat.hears("pong")
