"""PostgreSQL goes away in the middle of everything: what was acknowledged is there, nothing is there twice, and whoever
got no acknowledgement is told the truth about that."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.databases.engines import Postgres
from tests.support.people import Person, Seat, sign_up
from tests.support.server import ChatServer, wait_until

pytestmark = pytest.mark.xdist_group("postgresql")

SENDERS, EACH, CUTS = 6, 60, 25


@dataclass
class Verdicts:
    """What the senders were told of each message; a message says its own name."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Told `database_unavailable`: it is not stored."""
    unknown: set[str] = field(default_factory=set)
    """Told `unknown`: it may be stored."""
    retries: int = 0


async def test_connections_that_are_cut_in_a_burst_lose_nothing_and_double_nothing(
    postgres: Postgres, tmp_path: Path
) -> None:
    with ChatServer(tmp_path, database_url=postgres.new_database()) as server:
        ann = await sign_up(server, "ann")
        room = (await ann.http.post("/api/rooms", json={"name": "Storm"})).json()["id"]
        verdicts = Verdicts()
        sending = asyncio.gather(*(sends(ann, room, number, verdicts) for number in range(SENDERS)))
        cut = 0
        while not sending.done() and cut < CUTS:
            cut += await asyncio.to_thread(postgres.cuts_all_connections) > 0
            await asyncio.sleep(0.03)
        await sending
        assert cut > 3, "something has been cut while they talked"
        assert verdicts.retries + len(verdicts.refused) + len(verdicts.unknown) > 0, "and was noticed"
        await agrees(ann, room, verdicts)
        await ann.http.aclose()


async def sends(person: Person, room: int, sender: int, verdicts: Verdicts) -> None:
    """One after the other; every second message has a `client_id` and is sent again until it is acknowledged."""
    async with person.connects() as seat:
        for number in range(EACH):
            word = f"sender {sender} message {number}"
            while not await settles(seat, room, word, verdicts, client_id=word if number % 2 else None):
                verdicts.retries += 1


async def settles(seat: Seat, room: int, word: str, verdicts: Verdicts, client_id: str | None) -> bool:
    """Whether there is no more to do about this message."""
    await seat.says(word, room_id=room, client_id=client_id, ref=word)
    answer = await seat.next()
    while answer.get("ref") != word:
        answer = await seat.next()
    if answer["type"] == "ack":
        verdicts.acknowledged[word] = answer["id"]
        return True
    assert answer["code"] in {"unknown", "database_unavailable"}, answer
    if client_id is None:
        (verdicts.unknown if answer["code"] == "unknown" else verdicts.refused).add(word)
    return client_id is None


async def agrees(person: Person, room: int, verdicts: Verdicts) -> None:
    """The history says what the senders were told."""
    history = [
        message for after in (0, 200) for message in await person.history(room, after=after, limit=200)
    ]
    assert [message["id"] for message in history] == list(range(1, len(history) + 1))
    stored = {message["message"]: message["id"] for message in history}
    assert max(Counter(message["message"] for message in history).values()) == 1, "nothing twice"
    assert verdicts.acknowledged.items() <= stored.items(), "nothing acknowledged is lost"
    assert not verdicts.refused & stored.keys(), "what was refused is not there"
    assert stored.keys() <= verdicts.acknowledged.keys() | verdicts.unknown


async def test_while_the_database_is_away_everyone_is_told_and_nobody_is_cut_off(
    postgres: Postgres, tmp_path: Path
) -> None:
    with ChatServer(tmp_path, database_url=postgres.new_database()) as server:
        ann = await sign_up(server, "ann")
        room = (await ann.http.post("/api/rooms", json={"name": "Quiet"})).json()["id"]
        async with ann.enters(room) as seat:
            await asyncio.to_thread(postgres.stop)
            try:
                await everything_says_503(server, ann, seat, room)
            finally:
                await asyncio.to_thread(postgres.start)
            await asyncio.to_thread(wait_until, lambda: health(server) == 200, "healthy again")
            await seat.says("back again", client_id="c1")
            assert (await seat.hears("message"))["id"] == 1
            await ann.get("/api/rooms")
        await ann.http.aclose()


def health(server: ChatServer) -> int:
    return httpx.get(f"{server.url}/health", timeout=10).status_code


async def everything_says_503(server: ChatServer, person: Person, seat: Seat, room: int) -> None:
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
