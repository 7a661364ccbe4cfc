"""Runs workloads on all servers in turn, several times, so that other load on the machine affects all servers alike."""

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
from benchmarks.plan import DEEP, Workload
from benchmarks.servers import DidNotStart, Server, data, running

LOAD = str(VENV) if VENV.exists() else sys.executable
FILLS = {"plain": (1000,), "deep": (1000, DEEP)}
LONGEST = 150
"""Seconds after which a run is aborted."""

Figures = dict[str, Any]


@cache
def _seed(name: str) -> seeds.Seed:
    return seeds.make(name, FILLS[name], cores()[0])


def _environment_and_spec(workload: Workload, peer: Peer) -> tuple[dict[str, str], dict[str, Any]]:
    """The environment of the server, and the part of the spec that depends on it."""
    if peer.name == "ours":
        seed = _seed(workload.seed)
        rooms = [seed.filled[workload.room_size]] if workload.room_size else seed.rooms
        return seed.copy(), {"rooms": rooms, "tokens": seed.tokens, "people_with_passwords": seed.people}
    database = data() / "peer.db"
    for old in data().glob("peer.db*"):
        old.unlink()
    token = jwt.encode({"sub": "alice"}, seeds.SECRET, "HS256")
    env = {"DATABASE_URL": f"sqlite+aiosqlite:///{database}", "SECRET_KEY": seeds.SECRET}
    rooms = ["1"] if workload.room_size else [str(room) for room in range(1, 201)]
    return env | {"MESSAGES": str(workload.room_size)}, {
        "rooms": rooms,
        "tokens": [token],
        "people_with_passwords": [],
    }


def run_once(
    workload: Workload,
    peer: Peer,
    seconds: float,
    warm_up: float,
    on_start: Callable[[Server], None] = lambda server: None,
) -> Figures:
    """One run against a newly started server. `on_start` is called with the server before the load begins."""
    env, spec = _environment_and_spec(workload, peer)
    options = workload.options | {"people_with_passwords": spec.pop("people_with_passwords")}
    if "window" in options:
        options["window"] = min(options["window"], peer.max_window)
    try:
        with running(peer, env, cores()[0]) as server:
            on_start(server)
            return _load(
                workload, server, spec | {"seconds": seconds, "warm_up": warm_up, "options": options}
            )
    except DidNotStart as error:
        return {"void": str(error)}


def _load(workload: Workload, server: Server, spec: dict[str, Any]) -> Figures:
    place = {"host": server.host, "port": server.port, "server": server.pid, "core": cores()[1]}
    spec = spec | place | {"workload": workload.module, "dialect": server.peer.dialect}
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
    workloads: Iterable[Workload], chosen: set[str] | None, runs: int, seconds: float, warm_up: float
) -> Iterable[tuple[Workload, Peer, Figures]]:
    """The runs of all peers: A B C, A B C, …, one workload after the other."""
    for workload in workloads:
        peers = [BY_NAME[name] for name in workload.peers if chosen is None or name in chosen]
        for _ in range(runs):
            for peer in peers:
                yield workload, peer, run_once(workload, peer, workload.seconds or seconds, warm_up)
