"""Jobs on their way through a thread, and the watchdog that answers for those that take too long.

An answer never depends on a driver: the event loop gives it when a deadline passes, whatever the thread is doing. It is
true, because a job enters its COMMIT and the watchdog ends it under one lock.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar, cast

from app.core.database.deadlines import Deadlines
from app.core.database.failures import DatabaseUnavailable, Unknown

T = TypeVar("T")

MAX_TICK_SECONDS = 0.25
SLOW_SECONDS = 1.0
"""A job that takes longer waits for something: for a lock, a network or a disk."""


class Line(Protocol):
    """A handle on a connection that another thread uses."""

    def cut(self) -> None:
        """End whatever that thread waits for. Never blocks and never raises."""


class Phase(IntEnum):
    WAITING, RUNNING, COMMITTING, OVER = range(4)


class Job(Generic[T]):
    """A unit of work between its submission and its answer."""

    __slots__ = ("_asked_at", "_deadlines", "_line", "_lock", "_loop", "_phase", "_work", "answer", "due")

    def __init__(self, deadlines: Deadlines, asked_at: float, work: Callable[[], T]) -> None:
        self._deadlines = deadlines
        self._work: Callable[[], T] | None = work
        """Dropped when the job is over: it may stay in the queue of a thread that hangs."""
        self._asked_at = asked_at
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._phase = Phase.WAITING
        self._line: Line | None = None
        self.answer: asyncio.Future[T] = self._loop.create_future()
        self.due = self._latest(time.monotonic() + deadlines.begin)
        """When the watchdog ends it."""

    @property
    def is_over(self) -> bool:
        return self._phase is Phase.OVER

    # In the event loop

    def age(self, now: float) -> float:
        """Seconds since its command was read."""
        return now - self._asked_at

    def is_pending(self, now: float) -> bool:
        """Whether it is still to be watched. Ends it, with its answer, if it is overdue."""
        if self.is_over:
            return False
        if now >= self.due:
            self._end(now)
        return not self.is_over

    def end(self) -> None:
        """Answer for the job now, whatever its thread does, and shut its connection down."""
        self.due = time.monotonic()
        self._end(self.due)

    def abandon(self) -> None:
        """The caller waits no more: if it has not begun, it never will."""
        with self._lock:
            if self._phase is Phase.WAITING:
                self._phase = Phase.OVER
                self._work = None

    def _end(self, now: float) -> None:
        with self._lock:
            # It may have begun or ended meanwhile: then it has more time, or its result is on its way.
            if self._phase is Phase.OVER or now < self.due:
                return
            phase, self._phase = self._phase, Phase.OVER
            self._work = None
            if self._line is not None:
                self._line.cut()
        self._settle(None, Unknown() if phase is Phase.COMMITTING else DatabaseUnavailable())

    def _settle(self, result: T | None, error: BaseException | None) -> None:
        if self.answer.done():
            return
        if isinstance(error, StopIteration):  # no future takes it
            self.answer.set_exception(RuntimeError(repr(error)))
        elif error is not None:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(cast(T, result))

    # In its thread

    def run(self) -> None:
        """Do the work, unless the job is over, and report the result to the event loop."""
        with self._lock:
            work, self._work = self._work, None
            if self._phase is not Phase.WAITING or work is None:
                return
            self._phase = Phase.RUNNING
            self.due = self._latest(time.monotonic() + self._deadlines.run)
        result: T | None = None
        failure: BaseException | None = None
        _thread.job = self
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            failure = error
        _thread.job = None
        with self._lock:
            self._phase = Phase.OVER
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nothing waits
            self._loop.call_soon_threadsafe(self._settle, result, failure)

    def check(self) -> None:
        """Raises DatabaseUnavailable if the job is over."""
        if self.is_over:
            raise DatabaseUnavailable

    def attach(self, line: Line) -> None:
        """From now on the job waits on this connection. Raises DatabaseUnavailable if it is over."""
        with self._lock:
            if self._phase is Phase.OVER:
                raise DatabaseUnavailable
            self._line = line

    def detach(self) -> None:
        """The connection goes back to the pool, or is closed."""
        with self._lock:
            self._line = None

    def enter_commit(self) -> None:
        """From now on the outcome may be unknown. Raises DatabaseUnavailable if the job is over: it must not commit."""
        with self._lock:
            if self._phase is Phase.OVER:
                raise DatabaseUnavailable
            self._phase = Phase.COMMITTING

    def _latest(self, due: float) -> float:
        return min(due, self._asked_at + self._deadlines.answer)


class _Thread(threading.local):
    job: Job[Any] | None = None


_thread = _Thread()


def current_job() -> Job[Any] | None:
    """The job that this thread runs."""
    return _thread.job


class Watchdog:
    """Looks at all jobs several times a second, while there are any."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._tick = min(MAX_TICK_SECONDS, deadlines.begin / 10)
        self._jobs: set[Job[Any]] = set()
        self.is_slow = False
        """Whether a job was slow when the watchdog last looked."""
        self._loop: asyncio.AbstractEventLoop | None = None
        """Where the timer runs; None while there is nothing to watch."""

    def watch(self, job: Job[Any]) -> None:
        """Answer for the job when it is due. Called in the event loop."""
        self._jobs.add(job)
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(self._tick, self._look)

    def forget(self, job: Job[Any]) -> None:
        """The caller has its answer. A job that still runs, since its caller left, is watched until its end."""
        if job.is_over:
            self._jobs.discard(job)

    def oldest(self, now: float) -> float:
        """Seconds since the command of the oldest job without an answer was read; 0 if there is none."""
        return max((job.age(now) for job in self._jobs if not job.is_over), default=0.0)

    def _look(self) -> None:
        now = time.monotonic()
        again = asyncio.get_running_loop().call_later(self._tick, self._look)  # whatever happens in this one
        self._jobs = {job for job in self._jobs if job.is_pending(now)}
        self.is_slow = self.oldest(now) > SLOW_SECONDS
        if not self._jobs:
            again.cancel()
            self._loop = None
