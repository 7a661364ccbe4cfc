"""Admits a burst of arrivals a few per iteration of the event loop.

Work that is already under way waits for a few arrivals instead of all, and arrivals wait for a running write.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from itertools import islice

MAX_PER_TURN = 16
SECONDS_PER_ADMISSION = 0.001
"""An iteration of the loop admits one arrival per millisecond that it took, at least one and at most MAX_PER_TURN: with
one each, where iterations are long because they write to thousands of listeners, clients would time out first."""
MAX_YIELD_SECONDS = 0.02
"""How long the queue may pause for a running transaction. The writer thread releases the interpreter's lock at every
statement, and beside a busy event loop it does not reliably get it back: commits of 1 ms took 30 (CPython's `take_gil`
restarts its wait whenever the lock was free for a moment, and uvloop releases it between any two sockets that it
reads)."""
MAX_TOTAL_YIELD_SECONDS = 1.0
"""How long the first arrival in the queue may wait for writes in total."""
POLL_SECONDS = 0.001

AdmissionCallback = Callable[[], None]


class AdmissionQueue:
    """A queue for one event loop. An empty queue delays nothing. While `should_yield()` is true it pauses, within the
    limits above."""

    def __init__(self, should_yield: Callable[[], bool] = lambda: False) -> None:
        self._should_yield = should_yield
        self._waiting: dict[AdmissionCallback, float] = {}
        """Arrival times, in the order of arrival."""
        self._is_running = False
        self._turn_started_at = 0.0

    def submit(self, callback: AdmissionCallback) -> None:
        """Call `callback` at once or in its turn."""
        if self._is_running:
            self._waiting[callback] = time.monotonic()
        else:
            self._start_turn()
            callback()

    def cancel(self, callback: AdmissionCallback) -> None:
        """Remove a callback from the queue, if it is there."""
        self._waiting.pop(callback, None)

    async def wait_turn(self) -> None:
        """Return at once or in turn."""
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
