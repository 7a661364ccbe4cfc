"""Admits a burst of arrivals a few per iteration of the event loop.

So work that is already under way waits for a few of them, not for all; and all of them wait for a running write.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from itertools import islice

MAX_PER_TURN = 16
SECONDS_PER_ADMISSION = 0.001
"""One arrival is admitted per iteration of the loop, or as many as it took milliseconds, up to MAX_PER_TURN: where
iterations are long, because thousands of listeners are written to, a queue of one each would outlast the clients'
patience."""
MAX_YIELD_SECONDS = 0.02
"""How long the queue may stand still while a transaction is running. The writer thread releases the interpreter's lock
at every statement, and beside a busy event loop it does not reliably get it back: commits of 1 ms took 30 (CPython's
`take_gil` starts to wait anew whenever the lock was free for a moment, and uvloop releases it between any two sockets
that it reads)."""
MAX_TOTAL_YIELD_SECONDS = 1.0
"""How long the first in the queue may be kept waiting by writes in all."""
POLL_SECONDS = 0.001

AdmissionCallback = Callable[[], None]


class AdmissionQueue:
    """For one event loop. An empty queue delays nothing. It stands still while `should_yield`, within the limits
    above."""

    def __init__(self, should_yield: Callable[[], bool] = lambda: False) -> None:
        self._should_yield = should_yield
        self._waiting: dict[AdmissionCallback, float] = {}
        """In the order of their arrival, with its time."""
        self._is_running = False
        self._turn_started_at = 0.0

    def submit(self, callback: AdmissionCallback) -> None:
        """Call `callback`: at once, or in its turn."""
        if self._is_running:
            self._waiting[callback] = time.monotonic()
        else:
            self._start_turn()
            callback()

    def cancel(self, callback: AdmissionCallback) -> None:
        """Take a callback out of the queue, if it is in it."""
        self._waiting.pop(callback, None)

    async def wait_turn(self) -> None:
        """Return at once, or in turn."""
        if not self._is_running:
            self._start_turn()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        callback = partial(_resolve, turn)
        self.submit(callback)
        try:
            await turn
        finally:
            self.cancel(callback)

    def _start_turn(self) -> None:
        self._is_running = True
        self._turn_started_at = time.monotonic()
        asyncio.get_running_loop().call_soon(self._admit)

    def _admit(self) -> None:
        if not self._waiting:
            self._is_running = False
            return
        now = time.monotonic()
        took = now - self._turn_started_at
        first = next(iter(self._waiting.values()))
        if took < MAX_YIELD_SECONDS and now - first < MAX_TOTAL_YIELD_SECONDS and self._should_yield():
            asyncio.get_running_loop().call_later(POLL_SECONDS, self._admit)
            return
        self._start_turn()
        count = max(1, min(int(took / SECONDS_PER_ADMISSION), MAX_PER_TURN, len(self._waiting)))
        for callback in list(islice(self._waiting, count)):
            del self._waiting[callback]
            asyncio.get_running_loop().call_soon(callback)


def _resolve(turn: "asyncio.Future[None]") -> None:
    if not turn.done():  # its waiter may have been cancelled
        turn.set_result(None)
