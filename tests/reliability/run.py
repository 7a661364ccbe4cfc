"""One run: a server that is killed again and again, clients that go on all the same, and the verdict."""

import asyncio
import random
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import httpx
from sqlalchemy import make_url

from tests.reliability.clients import Client, Poller
from tests.reliability.history import History
from tests.reliability.rest import Rest, truth
from tests.reliability.world import Account, World
from tests.support.server import ChatServer

PASSWORD = "correct horse battery"
SETTINGS = {
    "catch_up_limit": 150,
    "max_send_buffer_bytes": 98_304,
    "socket_send_buffer_bytes": 16_384,
    "environment": "test",
    "log_level": "warning",
}
"""Small limits, so that a short run meets them all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes. The same seed makes the same clients with the same intentions."""

    seed: int
    seconds: float = 20.0
    kill_every: float = 4.0
    """Seconds between two kills, on average; 0 for none."""
    clients: int = 8
    rooms: int = 3
    pause: float = 0.04
    """Seconds between two things that a client does, on average."""
    operations: int = 1_000_000
    """After so many it ends, however much time is left."""
    patience: float = 40.0
    """Seconds in which everybody has to have everything when it is over."""


async def carry_out(plan: Plan, server: ChatServer) -> History:
    """Run on a server that has been started, and observe."""
    accounts = await _accounts(server, plan)
    world = World(server, await _rooms(server, accounts[0], plan))
    clients = _clients(plan, world, accounts)
    try:
        lives = [asyncio.create_task(client.live()) for client in clients]
        await _kill_now_and_then(plan, world)
        world.stopping = True
        await asyncio.gather(*lives)
        await _settle(plan, world, clients)
        world.history.complaints += await asyncio.to_thread(_aftermath, server)
        for client in clients:
            world.history.copies += client.follower.copies()
    finally:
        await asyncio.gather(*(client.close() for client in clients))
    return world.history


def _clients(plan: Plan, world: World, accounts: Sequence[Account]) -> list[Client | Poller]:
    """Two devices for each user, and a bot."""
    people: list[Client | Poller] = [
        Client(f"c{number}", accounts[number % len(accounts)], world, f"{plan.seed}/{number}", plan.pause)
        for number in range(plan.clients)
    ]
    return [*people, Poller("bot", accounts[0], world, f"{plan.seed}/bot")]


async def _kill_now_and_then(plan: Plan, world: World) -> None:
    rng = random.Random(f"{plan.seed}/kills")
    end = time.monotonic() + plan.seconds
    due = time.monotonic() + rng.uniform(0.5, 1.5) * plan.kill_every
    while time.monotonic() < end and len(world.history.operations) < plan.operations:
        await asyncio.sleep(0.05)
        if not plan.kill_every or not due < time.monotonic() < end - plan.kill_every / 4:
            continue
        await _until_busy(world)
        world.history.kills.append(len(world.waiting))
        world.server.kill()
        await asyncio.to_thread(world.server.start)
        due = time.monotonic() + rng.uniform(0.5, 1.5) * plan.kill_every


async def _until_busy(world: World) -> None:
    """A kill proves something when it hits an operation."""
    for _ in range(500):
        if world.waiting:
            return
        await asyncio.sleep(0.002)


async def _settle(plan: Plan, world: World, clients: Sequence[Client | Poller]) -> None:
    """Wait until nobody changes anything and everybody has everything; then see how it really is."""
    deadline = asyncio.get_running_loop().time() + plan.patience
    readers = {client.account.name: client.rest for client in clients}
    any_reader = next(iter(readers.values()))
    heads: dict[int, int] = {}
    while heads != (heads := await _heads(any_reader, world.rooms)):
        await asyncio.gather(*(client.settle(heads, deadline) for client in clients))
        await asyncio.sleep(0.2)
    for room in world.rooms:
        world.history.truths[room] = await truth(room, readers)


def _aftermath(server: ChatServer) -> list[str]:
    """What the log and the database file have to say."""
    found = [line[:1000] for line in server.log.read_text().splitlines() if '"level": "error"' in line]
    url = make_url(server.settings["DATABASE_URL"])
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(url.database or "")) as db:
            for check in ("integrity_check", "foreign_key_check"):
                found += [f"{check}: {row}" for row in db.execute(f"PRAGMA {check}") if row != ("ok",)]
    return found


async def _heads(rest: Rest, rooms: Sequence[int]) -> dict[int, int]:
    return {room: (await rest.room(room))["last_seq"] for room in rooms}


async def _accounts(server: ChatServer, plan: Plan) -> list[Account]:
    """New users, two clients for each."""
    accounts = []
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as http:
        for number in range((plan.clients + 1) // 2):
            given = {"username": f"user {plan.seed}.{number}", "password": PASSWORD}
            (await http.post("/api/auth/signup", json=given)).raise_for_status()
            grant = (await http.post("/api/auth/login", json=given)).raise_for_status().json()
            accounts.append(Account(given["username"], grant["access_token"]))
    return accounts


async def _rooms(server: ChatServer, owner: Account, plan: Plan) -> list[int]:
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as http:
        http.headers["Authorization"] = f"Bearer {owner.token}"
        drafts = [{"name": f"Room {number} of {plan.seed}"} for number in range(plan.rooms)]
        answers = [await http.post("/api/rooms", json=draft) for draft in drafts]
        return [answer.raise_for_status().json()["id"] for answer in answers]
