"""Group commit: the next batch gathers while one is being written. An idle server adds no delay."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from app.core.logs import log

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Passes waiting items to `write` together and answers each, in the order they were submitted.

    `write` returns a result per item or raises for all of them. In that case every item for which `may_retry(item,
    error)` is true is tried again alone, so that one bad item fails alone. `pause` is a delay in seconds after each
    batch, for items that are numerous and can wait: they gather meanwhile.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        may_retry: Callable[[Item, Exception], bool],
        limit: int = 1000,
        pause: float = 0.0,
    ) -> None:
        self._write = write
        self._may_retry = may_retry
        self._limit = limit
        self._pause = pause
        self._waiting: list[tuple[Item, Callable[[Result | Exception], None]]] = []
        self._running: asyncio.Task[None] | None = None

    def submit(self, item: Item, answer: Callable[[Result | Exception], None]) -> None:
        """Queue an item; `answer` is called once with its result or its error. Must be called in the event loop."""
        self._waiting.append((item, answer))
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def drain(self) -> None:
        """Return when everything submitted so far is answered."""
        while self._running is not None:
            await asyncio.shield(self._running)

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._limit]
                del self._waiting[: self._limit]
                outcomes = await self._outcomes([item for item, _ in batch])
                for (item, answer), outcome in zip(batch, outcomes, strict=True):
                    try:
                        answer(outcome)
                    except Exception:  # noqa: BLE001 - an answer that fails must not prevent the others
                        log.exception("answer.failed", to=type(item).__name__)
                if self._pause:
                    await asyncio.sleep(self._pause)
        finally:
            self._running = None

    async def _outcomes(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        try:
            outcomes = await self._write(items)
        except Exception as error:  # noqa: BLE001 - every item is answered, whatever the error
            return [
                await self._write_alone(item) if self._may_retry(item, error) else error for item in items
            ]
        if len(outcomes) != len(items):  # a bug; the items may be stored, so they are not tried again
            return [AssertionError(f"{len(outcomes)} results for {len(items)} items")] * len(items)
        return outcomes

    async def _write_alone(self, item: Item) -> Result | Exception:
        try:
            return (await self._write([item]))[0]
        except Exception as error:  # noqa: BLE001 - the item is answered
            return error
