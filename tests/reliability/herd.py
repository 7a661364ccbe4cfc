"""Hundreds of sockets drop and come back at once, far behind, while a few people keep talking: who has to wait?

    python -m tests.reliability.herd --sockets 500 --behind 1000

prints how long the talkers wait for their own words before and during the return, and when everybody has caught up.
The sockets live in a process of their own, which gives way to all others: the talkers' clock must not be stopped by
counting frames, which phones do for themselves.
"""

import argparse
import asyncio
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from tests.reliability.crowd import KEY, CountingSocket, open_all, settle_in
from tests.support.people import Seat, sign_up
from tests.support.server import ROOT, ChatServer


@dataclass(frozen=True, slots=True)
class Herd:
    sockets: int = 500
    behind: int = 1000
    talkers: int = 10
    every: float = 0.05
    """Seconds between two messages of one talker."""
    seconds: float = 8.0
    """How long the talkers are measured before."""


@dataclass(slots=True)
class Result:
    before: list[float]
    """Seconds that talkers waited for their own words while nothing happened."""
    during: list[float]
    """The same from the moment that everybody dropped until all had caught up."""
    caught_up: list[float]
    """Seconds after the drop, for each socket."""
    missed: list[int]
    """How many messages each socket caught up with."""
    expected: list[int]


async def stampede(herd: Herd, folder: Path) -> Result:
    """Let them come, let them drop and come back, and measure."""
    with ChatServer(folder, (), secret_key=KEY, catch_up_limit=herd.behind * 2 + 1000) as server:
        people = [await sign_up(server, f"talker {number}") for number in range(herd.talkers)]
        room: int = (await people[0].http.post("/api/rooms", json={"name": "The herd's"})).json()["id"]
        tokens = await asyncio.to_thread(settle_in, server, room, herd.sockets)
        async with AsyncExitStack() as stack:
            seats = [await stack.enter_async_context(person.enters(room)) for person in people]
            await _fill(seats, herd.behind)
            crowd = await stack.enter_async_context(_process(server, room, tokens))
            await crowd.ask({"do": "come"})
            before = await _talk(seats, herd, until=asyncio.create_task(asyncio.sleep(herd.seconds)))
            since = (await people[0].get(f"/api/rooms/{room}"))["last_seq"] - herd.behind
            back = asyncio.create_task(crowd.ask({"do": "drop and come back", "since": since}))
            during = await _talk(seats, herd, until=back)
            for person in people:
                await person.http.aclose()
            answer = back.result()
            missed, expected = [[int(number) for number in answer[name]] for name in ("missed", "expected")]
            return Result(before, during, answer["caught_up"], missed, expected)


async def _fill(seats: list[Seat], count: int) -> None:
    for number in range(count):
        await seats[0].says(
            f"something that was said before, as one does: number {number}", client_id=str(number)
        )
    for seat in seats:
        await _hear(seat, str(count - 1))


async def _hear(seat: Seat, client_id: str) -> None:
    """Return when a message with this name comes. Looks at the bytes: the talkers' own work shall not be measured."""
    name = f'"client_id":"{client_id}"'
    while name not in str(await seat.socket.recv()):
        pass


async def _talk(seats: list[Seat], herd: Herd, until: "asyncio.Task[Any]") -> list[float]:
    """Everybody says something now and then and waits for it; returns how long each wait was."""
    waits: list[float] = []
    names = itertools.count()

    async def one(seat: Seat, number: int) -> None:
        await asyncio.sleep(herd.every * number / len(seats))
        while not until.done():
            began, name = time.perf_counter(), f"{id(until)}.{next(names)}"
            await seat.says("a few words, as people do when they talk", client_id=name)
            await _hear(seat, name)
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(herd.every)

    await asyncio.gather(*(one(seat, number) for number, seat in enumerate(seats)))
    await until
    return waits


# The process of the sockets


class Crowd:
    """Takes orders as lines of JSON, and answers each with one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, order: dict[str, object]) -> dict[str, list[float]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        answer: dict[str, list[float]] = json.loads(await self._process.stdout.readline())
        return answer


@asynccontextmanager
async def _process(server: ChatServer, room: int, tokens: list[str]) -> AsyncIterator[Crowd]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.reliability.herd", "--crowd", str(server.port), str(room)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(tokens).encode() + b"\n")
    try:
        yield Crowd(process)
    finally:
        process.stdin.close()
        await process.wait()


async def _be_the_crowd(port: int, room: int) -> None:
    os.nice(19)
    loop = asyncio.get_running_loop()
    tokens = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    sockets: list[CountingSocket] = []
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if order["do"] == "come":
            sockets = await open_all(port, room, tokens)
            print("{}", flush=True)
            continue
        for each in sockets:
            each.drop()
        dropped = time.monotonic()
        sockets = await open_all(port, room, tokens, order["since"])
        times = [await each.synced - dropped for each in sockets]
        missed = [each.missed for each in sockets]
        expected = [each.synced_at - order["since"] for each in sockets]
        print(json.dumps({"caught_up": times, "missed": missed, "expected": expected}), flush=True)


# Telling


def milliseconds(waits: list[float]) -> str:
    cuts = quantiles(waits, n=100)
    return f"p50 {1000 * cuts[49]:.1f} ms, p99 {1000 * cuts[98]:.1f} ms of {len(waits)}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.herd", description=__doc__)
    for name, default in asdict(Herd()).items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help="(%(default)s)")
    parser.add_argument("--crowd", type=int, nargs=2, metavar=("PORT", "ROOM"), help=argparse.SUPPRESS)
    wanted = vars(parser.parse_args())
    if crowd := wanted.pop("crowd"):
        asyncio.run(_be_the_crowd(*crowd))
        return
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(stampede(Herd(**wanted), Path(folder)))
    print(f"before   {milliseconds(result.before)}")
    print(f"during   {milliseconds(result.during)}")
    times = sorted(result.caught_up)
    print(f"caught up: first {times[0]:.2f} s, half {times[len(times) // 2]:.2f} s, all {times[-1]:.2f} s")
    whole = result.missed == result.expected
    print(f"{sum(result.missed)} messages caught up with, {'none missing' if whole else 'SOME MISSING'}")


if __name__ == "__main__":
    main()
