"""Shared by all workloads: the spec of a run, opening sockets, and what makes a run void."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from benchmarks.load.dialects import DIALECTS, Dialect, Seat
from benchmarks.load.sockets import Joining, Listener, Sender, Tally

P = TypeVar("P", Listener, Sender)

AT_ONCE = 100
"""Concurrent handshakes while a workload is being prepared."""


class Void(Exception):
    """The run does not count; the message says why."""


@dataclass
class Spec:
    """One run of one workload against one server, as written by `benchmarks.runner`."""

    workload: str
    dialect: str
    host: str
    port: int
    server: int
    rooms: list[str]
    tokens: list[str] = field(default_factory=list)
    seconds: float = 4.0
    warm_up: float = 1.5
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def speech(self) -> Dialect:
        return DIALECTS[self.dialect]

    def seat(self, room: int, person: int) -> Seat:
        """The seat of the `person`-th user in the `room`-th room."""
        token = self.tokens[person % len(self.tokens)] if self.tokens else ""
        return Seat(self.rooms[room % len(self.rooms)], token)


async def open_sockets(
    spec: Spec, make: Callable[[Tally, Seat], P], tally: Tally, seats: Sequence[Seat]
) -> list[P]:
    """Open a socket for every seat. On return, all sockets have joined their rooms."""
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(seat: Seat) -> P:
        async with gate:
            host = f"{spec.host}:{spec.port}"
            then = make(tally, seat)
            _, joining = await loop.create_connection(
                lambda: Joining(spec.speech, seat, then, host), spec.host, spec.port
            )
            await asyncio.wait_for(joining.done, 20)
            return then

    return list(await asyncio.gather(*(one(seat) for seat in seats)))


async def until(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for `done`. Raises Void with `what` after `seconds`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not done():
        if loop.time() > end:
            raise Void(what)
        await asyncio.sleep(0.005)


@contextmanager
def void_on_failure(tally: Tally) -> Iterator[None]:
    """Raise Void if a socket was lost or a command was answered with an error, also instead of a Void from inside."""
    late: Void | None = None
    try:
        yield
    except Void as void:
        late = void
    if tally.failed:
        raise Void(tally.failed) from late
    if tally.lost:
        raise Void(f"{tally.lost} sockets were closed by the server") from late
    if late:
        raise late
