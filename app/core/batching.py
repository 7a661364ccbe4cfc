"""Group commit: while one batch is being written, the next one gathers. An idle server waits for nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from app.core.logs import log

Item = TypeVar("Item")
Result = TypeVar("Result")

Flush = Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]
Settle = Callable[[Sequence[tuple[Item, Result | Exception]]], None]


class Asked(Protocol):
    """An item that wants to be told what became of it."""

    @property
    def answer(self) -> Callable[[Any], None]: ...


def answer_all(outcomes: Sequence[tuple[Asked, object]]) -> None:
    """Tell each item what became of it: a way to settle."""
    for item, outcome in outcomes:
        try:
            item.answer(outcome)
        except Exception:  # noqa: BLE001 - one answer that fails must not keep the others from theirs
            log.exception("answer.failed", to=type(item).__name__)


class Batcher(Generic[Item, Result]):
    """Hands waiting items to `flush` together and tells `settle` what became of each, in the order they came.

    `flush` returns a result per item or raises for all of them. Then every item that `may_retry(item, error)` is
    tried again alone, so that one bad item fails alone. `settle` must not raise. After each batch comes a
    `pause`, in seconds, for items that are many and can wait: they gather meanwhile.
    """

    def __init__(
        self,
        flush: Flush[Item, Result],
        settle: Settle[Item, Result],
        may_retry: Callable[[Item, Exception], bool],
        limit: int = 1000,
        pause: float = 0.0,
    ) -> None:
        self._flush = flush
        self._settle = settle
        self._may_retry = may_retry
        self._limit = limit
        self._pause = pause
        self._waiting: list[Item] = []
        self._running: asyncio.Task[None] | None = None

    def submit(self, item: Item) -> None:
        """Take an item. Must be called in the event loop."""
        self._waiting.append(item)
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._work())

    async def drain(self) -> None:
        """Return when everything submitted so far is settled."""
        while self._running is not None:
            await asyncio.shield(self._running)

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._limit]
                del self._waiting[: self._limit]
                self._settle(list(zip(batch, await self._results(batch), strict=True)))
                if self._pause:
                    await asyncio.sleep(self._pause)
        finally:
            self._running = None

    async def _results(self, batch: Sequence[Item]) -> Sequence[Result | Exception]:
        try:
            return await self._flush(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, each item is told
            return [await self._alone(item) if self._may_retry(item, error) else error for item in batch]

    async def _alone(self, item: Item) -> Result | Exception:
        try:
            return (await self._flush([item]))[0]
        except Exception as error:  # noqa: BLE001 - the item is told
            return error
