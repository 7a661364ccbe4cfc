"""Group commit: the next batch gathers while one is being written. An idle server adds no delay."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar, Union

from app.core.database.deadlines import asked_at, asked_since
from app.core.database.failures import DatabaseUnavailable
from app.core.logs import log

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Passes waiting items to `write` together and answers each, in the order they were submitted.

    `write` returns a result per item or raises for all of them. In that case every item for which `may_retry(item,
    error)` is true is tried again alone, so that one bad item fails alone. Instead of a result it may return a batcher,
    perhaps this one, which then takes the item over. `pause` is a delay in seconds after each batch, for items that are
    numerous and can wait: they gather meanwhile. An item that has waited for `patience` seconds is not written.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence["Result | Batcher[Item, Result]"]]],
        may_retry: Callable[[Item, Exception], bool],
        patience: float,
        limit: int = 1000,
        pause: float = 0.0,
    ) -> None:
        self._write = write
        self._may_retry = may_retry
        self._patience = patience
        self._limit = limit
        self._pause = pause
        self._waiting: list[Waiting[Item, Result]] = []
        self._running: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        return self._running is None

    def submit(self, item: Item, answer: Callable[[Result | Exception], None]) -> None:
        """Queue an item; `answer` is called once with its result or its error. Must be called in the event loop."""
        self._submit(item, answer, asked_at())

    async def drain(self) -> None:
        """Return when everything submitted so far is answered."""
        while self._running is not None:
            await asyncio.shield(self._running)

    def _submit(self, item: Item, answer: Callable[[Result | Exception], None], asked: float) -> None:
        self._waiting.append((item, answer, asked))
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._limit]
                del self._waiting[: self._limit]
                await self._write_batch(batch)
                if self._pause:
                    await asyncio.sleep(self._pause)
        finally:
            self._running = None

    async def _write_batch(self, batch: "Sequence[Waiting[Item, Result]]") -> None:
        too_late = time.monotonic() - self._patience
        fresh = [waiting for waiting in batch if waiting[2] > too_late]
        if len(fresh) < len(batch):
            for _, answer, asked in batch:
                if asked <= too_late:
                    self._answer(answer, DatabaseUnavailable())
        if not fresh:
            return
        with asked_since(min(asked for _, _, asked in fresh)):
            try:
                outcomes = await self._write([item for item, _, _ in fresh])
            except Exception as error:  # noqa: BLE001 - every item is answered, whatever the error
                await self._write_alone(fresh, error)
                return
        if len(outcomes) != len(fresh):  # a bug; the items may be stored, so they are not tried again
            bug = AssertionError(f"{len(outcomes)} results for {len(fresh)} items")
            for waiting in fresh:
                self._settle(waiting, bug)
            return
        for waiting, outcome in zip(fresh, outcomes, strict=True):
            self._settle(waiting, outcome)

    async def _write_alone(self, batch: "Sequence[Waiting[Item, Result]]", error: Exception) -> None:
        """Try each again that may be, until the database fails: then none of the rest would be in time.

        Each is settled before the next is tried: what is handed over must not be overtaken.
        """
        failed: DatabaseUnavailable | None = None
        for waiting in batch:
            outcome: Outcome[Result, Item] = failed or error
            if failed is None and self._may_retry(waiting[0], error):
                try:
                    outcome = (await self._write([waiting[0]]))[0]
                except DatabaseUnavailable as unavailable:
                    outcome = failed = unavailable
                except Exception as alone:  # noqa: BLE001 - the item is answered
                    outcome = alone
            self._settle(waiting, outcome)

    def _settle(self, waiting: "Waiting[Item, Result]", outcome: "Outcome[Result, Item]") -> None:
        item, answer, asked = waiting
        if isinstance(outcome, Batcher):
            outcome._submit(item, answer, asked)
        else:
            self._answer(answer, outcome)

    def _answer(self, answer: Callable[[Result | Exception], None], outcome: Result | Exception) -> None:
        try:
            answer(outcome)
        except Exception:  # noqa: BLE001 - an answer that fails must not prevent the others
            log.exception("answer.failed", to=type(outcome).__name__)


Waiting = tuple[Item, Callable[[Result | Exception], None], float]
"""An item, how to answer it, and when it was asked for."""
Outcome = Union[Result, Exception, Batcher[Item, Result]]  # noqa: UP007 - a generic alias, for Python 3.11
