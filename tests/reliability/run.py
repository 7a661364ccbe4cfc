"""One run: a server is killed again and again while clients go on, and the history is recorded for the verdict."""

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
from tests.reliability.database_faults import FaultyDatabase
from tests.reliability.history import History
from tests.reliability.rest import Rest, truth
from tests.reliability.run_state import Account, RunState
from tests.support.server import ChatServer

OUTAGES = ('"code": "database_unavailable"', '"code": "unknown"', "startup failed", "in lifespan")
"""What the log may say of a database that fails: codes, and the end of a server that could not start."""
START_SECONDS = 180.0
PASSWORD = "correct horse battery"
SETTINGS = {
    "catch_up_limit": 150,
    "max_send_buffer_bytes": 98_304,
    "socket_send_buffer_bytes": 16_384,
    "environment": "test",
    "log_level": "warning",
}
"""Small limits, so that a short run reaches all of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of a run. The same seed creates the same clients with the same intentions."""

    seed: int
    seconds: float = 20.0
    kill_every: float = 4.0
    """Mean seconds between two kills; 0 for none."""
    clients: int = 8
    rooms: int = 3
    pause: float = 0.04
    """Mean seconds between two actions of a client."""
    operations: int = 1_000_000
    """The run ends after this many operations, even if time is left."""
    settle_seconds: float = 40.0
    """At the end, all replicas must catch up within this time."""
    strike_every: float = 0.0
    """Mean seconds between two faults of the database; 0 for none."""


async def execute(plan: Plan, server: ChatServer, database: FaultyDatabase | None = None) -> History:
    """Run on a server that has been started. Returns everything that was observed."""
    accounts = await _accounts(server, plan)
    state = RunState(server, await _rooms(server, accounts[0], plan))
    clients = _clients(plan, state, accounts)
    try:
        lives = [asyncio.create_task(client.live()) for client in clients]
        strikes = asyncio.create_task(_strike_repeatedly(plan, state, database))
        await _kill_repeatedly(plan, state)
        state.stopping = True
        await asyncio.gather(strikes, *lives)
        await _settle(plan, state, clients)
        state.history.complaints += await asyncio.to_thread(_server_errors, state)
        for client in clients:
            state.history.copies += client.follower.copies()
    finally:
        await asyncio.gather(*(client.close() for client in clients))
    return state.history


def _clients(plan: Plan, state: RunState, accounts: Sequence[Account]) -> list[Client | Poller]:
    """Two devices for each user, and a bot."""
    devices: list[Client | Poller] = [
        Client(f"c{number}", accounts[number % len(accounts)], state, f"{plan.seed}/{number}", plan.pause)
        for number in range(plan.clients)
    ]
    return [*devices, Poller("bot", accounts[0], state, f"{plan.seed}/bot")]


async def _kill_repeatedly(plan: Plan, state: RunState) -> None:
    rng = random.Random(f"{plan.seed}/kills")
    end = time.monotonic() + plan.seconds
    due = time.monotonic() + rng.uniform(0.5, 1.5) * plan.kill_every
    while time.monotonic() < end and len(state.history.operations) < plan.operations:
        await asyncio.sleep(0.05)
        if not plan.kill_every or not due < time.monotonic() < end - plan.kill_every / 4:
            continue
        await _until_busy(state)
        state.history.kills.append(len(state.waiting))
        state.server.kill()
        await asyncio.to_thread(_start, state)
        due = time.monotonic() + rng.uniform(0.5, 1.5) * plan.kill_every


def _start(state: RunState) -> None:
    """Start the server, as a process manager does: again, if its database does not answer yet."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            state.server.start()
            return
        except (RuntimeError, TimeoutError) as error:
            if not state.database_fails or time.monotonic() > end:
                raise
            if isinstance(error, TimeoutError):  # its migrations wait for a database that fell silent
                state.server.kill()


async def _strike_repeatedly(plan: Plan, state: RunState, database: FaultyDatabase | None) -> None:
    """Let the database fail now and then, one fault after the other, until the run is over."""
    if database is None:
        return
    rng = random.Random(f"{plan.seed}/strikes")
    state.database_fails = True
    due = time.monotonic() + rng.uniform(0.5, 1.5) * plan.strike_every
    while not state.stopping:
        await asyncio.sleep(0.05)
        if time.monotonic() > due:
            name = rng.choice(list(database.faults))
            state.count(f"struck: {name}")
            await asyncio.to_thread(database.faults[name], rng)
            due = time.monotonic() + rng.uniform(0.5, 1.5) * plan.strike_every


async def _until_busy(state: RunState) -> None:
    """Wait for an operation without an answer: only a kill that hits one proves something."""
    for _ in range(500):
        if state.waiting:
            return
        await asyncio.sleep(0.002)


async def _settle(plan: Plan, state: RunState, clients: Sequence[Client | Poller]) -> None:
    """Wait until no room changes and every replica has caught up; then record the true state of each room."""
    deadline = asyncio.get_running_loop().time() + plan.settle_seconds
    readers = {client.account.name: client.rest for client in clients}
    any_reader = next(iter(readers.values()))
    heads: dict[int, int] = {}
    while heads != (heads := await _heads(any_reader, state.rooms)):
        await asyncio.gather(*(client.settle(heads, deadline) for client in clients))
        await asyncio.sleep(0.2)
    for room in state.rooms:
        state.history.truths[room] = await truth(room, readers)


def _server_errors(state: RunState) -> list[str]:
    """Errors in the server's log, apart from those of a database that fails, and in the integrity of its file."""
    lines = state.server.log.read_text().splitlines()
    found = [line for line in lines if '"level": "error"' in line]
    if state.database_fails:
        found = [line for line in found if not any(outage in line for outage in OUTAGES)]
    found = [line[:1000] for line in found]
    url = make_url(state.server.settings["DATABASE_URL"])
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
            credentials = {"username": f"user {plan.seed}.{number}", "password": PASSWORD}
            (await http.post("/api/auth/signup", json=credentials)).raise_for_status()
            grant = (await http.post("/api/auth/login", json=credentials)).raise_for_status().json()
            accounts.append(Account(credentials["username"], grant["access_token"]))
    return accounts


async def _rooms(server: ChatServer, owner: Account, plan: Plan) -> list[int]:
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as http:
        http.headers["Authorization"] = f"Bearer {owner.token}"
        drafts = [{"name": f"Room {number} of {plan.seed}"} for number in range(plan.rooms)]
        answers = [await http.post("/api/rooms", json=draft) for draft in drafts]
        return [answer.raise_for_status().json()["id"] for answer in answers]
