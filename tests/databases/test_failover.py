"""A PostgreSQL primary fails, and a standby that lagged behind takes over: for live clients, and for absent ones."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.databases.servers import Postgres
from tests.support.cutting_proxy import CuttingProxy
from tests.support.people import Person, Seat, sign_up
from tests.support.server import ChatServer, wait_until

pytestmark = pytest.mark.xdist_group("postgresql")

HEAL_SECONDS = 15.0


class Pair:
    """A primary and its standby, behind the one address that the chat server knows."""

    def __init__(self) -> None:
        self.primary = Postgres()
        self.url = make_url(self.primary.new_database())
        self.standby = Postgres(standby_of=self.primary)
        self.proxy = CuttingProxy(socket.AF_UNIX, self.primary.socket)

    @property
    def address(self) -> str:
        url = self.url.difference_update_query(["host"]).set(host="127.0.0.1", port=self.proxy.port)
        return url.render_as_string(hide_password=False)

    def is_caught_up(self) -> bool:
        written = self.primary.runs("SELECT pg_current_wal_lsn()")
        return self.standby.runs("SELECT pg_last_wal_replay_lsn()") == written

    def fail_over(self) -> None:
        self.primary.kill()
        self.standby.promote()
        self.proxy.redirect(self.standby.socket)

    def close(self) -> None:
        self.proxy.close()
        self.standby.close()
        self.primary.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


@pytest.fixture
def server(pair: Pair, tmp_path: Path) -> Iterator[ChatServer]:
    with ChatServer(tmp_path, database_url=pair.address) as running:
        yield running


@pytest.fixture
async def ann(server: ChatServer) -> AsyncIterator[Person]:
    person = await sign_up(server, "ann")
    yield person
    await person.http.aclose()


async def say(seat: Seat, *texts: str) -> int:
    """Send messages one after the other. Returns the last number."""
    seq = 0
    for text in texts:
        await seat.says(text, ref=text)
        seq = (await seat.hears("ack", ref=text))["seq"]
    return seq


async def say_once_possible(person: Person, room: int, text: str) -> None:
    """Send a message over REST until it is stored, as a client does while the database is away."""
    async with asyncio.timeout(HEAL_SECONDS):
        while True:
            answer = await person.http.post(
                f"/api/messages/{room}", json={"content": text, "client_id": text}
            )
            if answer.status_code in (200, 201):
                return
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.1)


async def test_clients_that_hand_back_their_epoch_end_up_equal_to_the_standby(
    pair: Pair, server: ChatServer, ann: Person
) -> None:
    room = (await ann.http.post("/api/rooms", json={"name": "Failing over"})).json()["id"]
    async with ann.enters(room) as live:
        common = await say(live, "kept 1", "kept 2", "kept 3")
        epoch = live.ready["epoch"]
        await asyncio.to_thread(wait_until, pair.is_caught_up, "the standby to have caught up")
        await asyncio.to_thread(pair.standby.stop_following)
        lost = await say(live, "lost 1", "lost 2", "lost 3")
        await asyncio.to_thread(pair.fail_over)
        for number in range(1, 6):  # the room overtakes what the clients had
            await say_once_possible(ann, room, f"new {number}")
        assert await live.is_closed() == 1012
        heard = [frame["message"] for frame in live.heard if frame["type"] == "message"]
        assert not [text for text in heard if text.startswith("new")], (
            "numbers of two histories in one stream"
        )
    truth = [message["message"] for message in await ann.history(room)]
    assert truth == ["kept 1", "kept 2", "kept 3", *(f"new {number}" for number in range(1, 6))]

    async with ann.enters(room, since=lost, epoch=epoch) as behind:
        synced = await behind.hears("synced")
        assert synced["truncated"], "it keeps three messages that do not exist"
        assert synced["epoch"] != epoch
    async with ann.enters(room, since=common, epoch=epoch) as absent:
        synced = await absent.hears("synced")
        assert not synced["truncated"]
        caught_up = [frame["message"] for frame in absent.heard if frame["type"] == "message"]
        assert caught_up == truth[3:]
        await say(absent, "and on")


async def test_a_standby_that_did_not_lag_costs_clients_a_reconnection(
    pair: Pair, server: ChatServer, ann: Person
) -> None:
    room = (await ann.http.post("/api/rooms", json={"name": "Failing over"})).json()["id"]
    async with ann.enters(room) as live:
        last = await say(live, "one", "two")
        epoch = live.ready["epoch"]
        await asyncio.to_thread(wait_until, pair.is_caught_up, "the standby to have caught up")
        await asyncio.to_thread(pair.fail_over)
        await say_once_possible(ann, room, "three")
        assert await live.is_closed() == 1012
    async with ann.enters(room, since=last, epoch=epoch) as back:
        synced = await back.hears("synced")
        assert not synced["truncated"]
        assert [one["message"] for one in back.heard if one["type"] == "message"] == ["three"]
