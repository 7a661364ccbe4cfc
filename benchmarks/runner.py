"""Running works: every server in turn, and again, so that what the machine does meanwhile falls on all alike."""

import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import jwt
import orjson

from benchmarks import seeds
from benchmarks.machine import cores
from benchmarks.peers import BY_NAME, ROOT, VENV, Peer
from benchmarks.plan import DEEP, Work
from benchmarks.servers import DidNotStart, Server, data, running

LOAD = str(VENV) if VENV.exists() else sys.executable
FILLS = {"plain": (1000,), "deep": (1000, DEEP)}
LONGEST = 150
"""Seconds after which a run is given up, however stuck it is."""

Figures = dict[str, Any]


@cache
def _seed(name: str) -> seeds.Seed:
    return seeds.make(name, FILLS[name], cores()[0])


def _given(work: Work, peer: Peer) -> tuple[dict[str, str], dict[str, Any]]:
    """The environment of the server and what the load is told of it."""
    if peer.name == "ours":
        seed = _seed(work.seed)
        rooms = [seed.filled[work.room_of]] if work.room_of else seed.rooms
        return seed.copy(), {"rooms": rooms, "tokens": seed.tokens, "people_with_passwords": seed.people}
    database = data() / "peer.db"
    for old in data().glob("peer.db*"):
        old.unlink()
    token = jwt.encode({"sub": "alice"}, seeds.SECRET, "HS256")
    env = {"DATABASE_URL": f"sqlite+aiosqlite:///{database}", "SECRET_KEY": seeds.SECRET}
    rooms = ["1"] if work.room_of else [str(room) for room in range(1, 201)]
    return env | {"MESSAGES": str(work.room_of)}, {
        "rooms": rooms,
        "tokens": [token],
        "people_with_passwords": [],
    }


def once(
    work: Work,
    peer: Peer,
    seconds: float,
    warm_up: float,
    meanwhile: Callable[[Server], None] = lambda server: None,
) -> Figures:
    """One run against a server that was started for it. `meanwhile` is told of the server before the load begins."""
    env, told = _given(work, peer)
    options = work.options | {"people_with_passwords": told.pop("people_with_passwords")}
    if "window" in options:
        options["window"] = min(options["window"], peer.max_window)
    try:
        with running(peer, env, cores()[0]) as server:
            meanwhile(server)
            return _load(work, server, told | {"seconds": seconds, "warm_up": warm_up, "options": options})
    except DidNotStart as broken:
        return {"void": str(broken)}


def _load(work: Work, server: Server, told: dict[str, Any]) -> Figures:
    place = {"host": server.host, "port": server.port, "server": server.pid, "core": cores()[1]}
    spec = told | place | {"work": work.module, "dialect": server.peer.dialect}
    try:
        done = subprocess.run(
            [LOAD, "-m", "benchmarks.load"],
            input=orjson.dumps(spec),
            capture_output=True,
            check=False,
            cwd=ROOT,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        return {"void": f"not done after {LONGEST} s"}
    (data() / "load.log").write_bytes(done.stderr)
    if done.returncode or not done.stdout:
        return {"void": f"the load failed: {done.stderr.decode()[-500:]}"}
    figures: Figures = orjson.loads(done.stdout)
    return figures


def interleaved(
    works: Iterable[Work], chosen: set[str] | None, runs: int, seconds: float, warm_up: float
) -> Iterable[tuple[Work, Peer, Figures]]:
    """A B C, A B C, …, one work after the other."""
    for work in works:
        peers = [BY_NAME[name] for name in work.peers if chosen is None or name in chosen]
        for _ in range(runs):
            for peer in peers:
                yield work, peer, once(work, peer, work.seconds or seconds, warm_up)
