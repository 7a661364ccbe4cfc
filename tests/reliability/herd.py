"""A thundering herd: hundreds of sockets drop and reconnect at once, far behind, while a few users keep sending.

    python -m tests.reliability.herd --sockets 500 --behind 1000

prints how long the senders wait for the echo of their messages before and during the reconnect, and when all sockets
have caught up. The sockets live in a separate process of low priority, so that counting their frames, which in reality
happens on the clients' devices, does not distort the senders' times.
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

from tests.reliability.crowd import KEY, CountingSocket, add_members, open_all
from tests.support.people import Seat, sign_up
from tests.support.server import ROOT, ChatServer


@dataclass(frozen=True, slots=True)
class Herd:
    sockets: int = 500
    behind: int = 1000
    senders: int = 10
    every: float = 0.05
    """Seconds between two messages of one sender."""
    seconds: float = 8.0
    """How long the senders are measured before the drop."""


@dataclass(slots=True)
class Result:
    before: list[float]
    """Seconds from a message to its echo before the drop."""
    during: list[float]
    """The same from the drop until all sockets had caught up."""
    caught_up: list[float]
    """Seconds after the drop, for each socket."""
    missed: list[int]
    """Messages that each socket caught up with."""
    expected: list[int]
    """Messages that each socket should have caught up with."""


async def measure(herd: Herd, folder: Path) -> Result:
    """Open the sockets, drop and reopen them, and measure."""
    with ChatServer(folder, (), secret_key=KEY, catch_up_limit=herd.behind * 2 + 1000) as server:
        people = [await sign_up(server, f"sender {number}") for number in range(herd.senders)]
        room: int = (await people[0].http.post("/api/rooms", json={"name": "The herd's"})).json()["id"]
        tokens = await asyncio.to_thread(add_members, server, room, herd.sockets)
        async with AsyncExitStack() as stack:
            seats = [await stack.enter_async_context(person.enters(room)) for person in people]
            await _fill(seats, herd.behind)
            sockets = await stack.enter_async_context(_process(server, room, tokens))
            await sockets.ask({"do": "open"})
            before = await _send_and_time(seats, herd, until=asyncio.create_task(asyncio.sleep(herd.seconds)))
            since = (await people[0].get(f"/api/rooms/{room}"))["last_seq"] - herd.behind
            reopened = asyncio.create_task(sockets.ask({"do": "reopen", "since": since}))
            during = await _send_and_time(seats, herd, until=reopened)
            for person in people:
                await person.http.aclose()
            answer = reopened.result()
            missed, expected = [[int(number) for number in answer[name]] for name in ("missed", "expected")]
            return Result(before, during, answer["caught_up"], missed, expected)


async def _fill(seats: list[Seat], count: int) -> None:
    for number in range(count):
        await seats[0].says(
            f"a message from before the drop, of usual length: number {number}", client_id=str(number)
        )
    for seat in seats:
        await _hear(seat, str(count - 1))


async def _hear(seat: Seat, client_id: str) -> None:
    """Return when the message with this client id arrives. Searches the text of frames, because parsing takes time."""
    field = f'"client_id":"{client_id}"'
    while field not in str(await seat.socket.recv()):
        pass


async def _send_and_time(seats: list[Seat], herd: Herd, until: "asyncio.Task[Any]") -> list[float]:
    """Each sender sends in intervals and waits for the echo. Returns the seconds of each wait."""
    waits: list[float] = []
    numbers = itertools.count()

    async def send(seat: Seat, number: int) -> None:
        await asyncio.sleep(herd.every * number / len(seats))
        while not until.done():
            start, client_id = time.perf_counter(), f"{id(until)}.{next(numbers)}"
            await seat.says("a few words, as in most chat messages...", client_id=client_id)
            await _hear(seat, client_id)
            waits.append(time.perf_counter() - start)
            await asyncio.sleep(herd.every)

    await asyncio.gather(*(send(seat, number) for number, seat in enumerate(seats)))
    await until
    return waits


# The process of the sockets


class SocketProcess:
    """Takes orders as lines of JSON, and answers each with one line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, order: dict[str, object]) -> dict[str, list[float]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        answer: dict[str, list[float]] = json.loads(await self._process.stdout.readline())
        return answer


@asynccontextmanager
async def _process(server: ChatServer, room: int, tokens: list[str]) -> AsyncIterator[SocketProcess]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.reliability.herd", "--worker", str(server.port), str(room)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(tokens).encode() + b"\n")
    try:
        yield SocketProcess(process)
    finally:
        process.stdin.close()
        await process.wait()


async def _run_sockets(port: int, room: int) -> None:
    """The process of the sockets: carry out orders from standard input until it ends."""
    os.nice(19)
    loop = asyncio.get_running_loop()
    tokens = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    sockets: list[CountingSocket] = []
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if order["do"] == "open":
            sockets = await open_all(port, room, tokens)
            print("{}", flush=True)
            continue
        for socket in sockets:
            socket.drop()
        dropped = time.monotonic()
        sockets = await open_all(port, room, tokens, order["since"])
        times = [await socket.synced - dropped for socket in sockets]
        missed = [socket.missed for socket in sockets]
        expected = [socket.synced_at - order["since"] for socket in sockets]
        print(json.dumps({"caught_up": times, "missed": missed, "expected": expected}), flush=True)


# The report


def milliseconds(waits: list[float]) -> str:
    cuts = quantiles(waits, n=100)
    return f"p50 {1000 * cuts[49]:.1f} ms, p99 {1000 * cuts[98]:.1f} ms of {len(waits)}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.herd", description=__doc__)
    for name, default in asdict(Herd()).items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help="(%(default)s)")
    parser.add_argument("--worker", type=int, nargs=2, metavar=("PORT", "ROOM"), help=argparse.SUPPRESS)
    options = vars(parser.parse_args())
    if worker := options.pop("worker"):
        asyncio.run(_run_sockets(*worker))
        return
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(Herd(**options), Path(folder)))
    print(f"before   {milliseconds(result.before)}")
    print(f"during   {milliseconds(result.during)}")
    times = sorted(result.caught_up)
    print(f"caught up: first {times[0]:.2f} s, half {times[len(times) // 2]:.2f} s, all {times[-1]:.2f} s")
    whole = result.missed == result.expected
    print(
        f"{sum(result.missed)} messages received in catch-ups, {'none missing' if whole else 'SOME MISSING'}"
    )


if __name__ == "__main__":
    main()
