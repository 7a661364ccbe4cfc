"""How long the database may take, and since when a caller waits for an answer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. Together they answer every command within 10 s of being read, with 2 s to spare for the event loop."""

    begin: float = 3.0
    """How long a job may wait for a thread; it is refused after that, and never runs."""
    run: float = 5.0
    """How long a job may run; after that its connection is shut down."""
    lock: float = 2.0
    """How long a statement waits for a lock. MySQL and MariaDB count whole seconds."""
    idle_transaction: float = 4.0
    """After this, the server ends a transaction whose client has vanished or been paused, and with it its locks. Less
    than `run`, so that a retry after a lost COMMIT finds the lock released."""
    replace_pool: float = 10.0
    """A pool that could not write for this long is replaced."""

    @property
    def answer(self) -> float:
        """From the time a command was read until all jobs that it causes are answered."""
        return self.begin + self.run


@dataclass(slots=True)
class Allowance:
    """The time that all jobs of one command share."""

    asked_at: float
    """When the command was read, on the monotonic clock."""
    is_over: bool = False
    """Whether the command has been answered. Tasks that outlive it inherit its context, but not its allowance."""

    def restart(self) -> None:
        """Count from now on: what came before did not concern the database."""
        self.asked_at = time.monotonic()


_current: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def asked_since(asked_at: float) -> Iterator[Allowance]:
    """Let all jobs that are submitted within this context share one allowance."""
    allowance = Allowance(asked_at)
    token = _current.set(allowance)
    try:
        yield allowance
    finally:
        allowance.is_over = True
        _current.reset(token)


def asked_at() -> float:
    """When the current command was read; now, if there is none."""
    allowance = _current.get()
    return time.monotonic() if allowance is None or allowance.is_over else allowance.asked_at


def restart_allowance() -> None:
    """Let the current command count from now on, since it made progress: a long catch-up takes many jobs."""
    allowance = _current.get()
    if allowance is not None:
        allowance.restart()
