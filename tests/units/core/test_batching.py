"""Group commit: what waits is written together, in its order, and what is bad fails alone."""

import asyncio
from collections.abc import Sequence

from app.core.batching import Batcher


class Disk:
    """Writes batches, each when it is let; a negative number is refused, and with it the batch."""

    def __init__(self, limit: int = 1000, pause: float = 0.0, *, free: bool = True) -> None:
        self.batches: list[list[int]] = []
        self.settled: list[tuple[int, int | Exception]] = []
        self.free = asyncio.Event()
        if free:
            self.free.set()
        self.batcher = Batcher(self.write, self.settled.extend, self.may_retry, limit, pause)

    async def write(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        await self.free.wait()
        if any(number < 0 for number in numbers):
            raise ValueError("bad number" if min(numbers) > -100 else "nobody knows")
        return [number * 10 for number in numbers]

    def may_retry(self, _number: int, error: Exception) -> bool:
        return str(error) != "nobody knows"

    async def takes(self, *numbers: int) -> None:
        for number in numbers:
            self.batcher.submit(number)
        await self.batcher.drain()

    @property
    def became(self) -> dict[int, int | str]:
        return {number: str(end) if isinstance(end, Exception) else end for number, end in self.settled}


async def test_while_one_batch_is_written_the_next_one_gathers() -> None:
    disk = Disk(free=False)
    disk.batcher.submit(1)
    await asyncio.sleep(0)
    for number in (2, 3, 4):
        disk.batcher.submit(number)
        await asyncio.sleep(0)
    disk.free.set()
    await disk.batcher.drain()
    assert disk.batches == [[1], [2, 3, 4]]


async def test_everything_is_settled_once_and_in_its_order() -> None:
    disk = Disk()
    await disk.takes(*range(500))
    assert disk.settled == [(number, number * 10) for number in range(500)]


async def test_a_batch_has_a_limit() -> None:
    disk = Disk(limit=2)
    await disk.takes(1, 2, 3, 4, 5)
    assert disk.batches == [[1, 2], [3, 4], [5]]


async def test_an_idle_batcher_writes_at_once() -> None:
    disk = Disk()
    disk.batcher.submit(1)
    await asyncio.sleep(0)
    assert disk.batches == [[1]]
    await disk.batcher.drain()


async def test_one_bad_item_fails_alone() -> None:
    disk = Disk()
    await disk.takes(1, -2, 3)
    assert disk.became == {1: 10, -2: "bad number", 3: 30}
    assert [number for number, _ in disk.settled] == [1, -2, 3]
    assert disk.batches == [[1, -2, 3], [1], [-2], [3]]


async def test_what_may_not_be_retried_is_told_the_error_of_the_batch() -> None:
    disk = Disk()
    await disk.takes(1, -100)
    assert disk.became == {1: "nobody knows", -100: "nobody knows"}
    assert disk.batches == [[1, -100]]


async def test_work_goes_on_after_a_failure() -> None:
    disk = Disk()
    await disk.takes(-1)
    await disk.takes(2)
    assert disk.became == {-1: "bad number", 2: 20}


async def test_drain_waits_for_what_is_submitted_while_it_waits() -> None:
    disk = Disk(free=False)
    disk.batcher.submit(1)
    drain = asyncio.create_task(disk.batcher.drain())
    await asyncio.sleep(0)
    disk.batcher.submit(2)
    assert not drain.done()
    disk.free.set()
    await drain
    assert disk.became == {1: 10, 2: 20}


async def test_giving_up_a_drain_does_not_stop_the_work() -> None:
    disk = Disk(free=False)
    disk.batcher.submit(1)
    drain = asyncio.create_task(disk.batcher.drain())
    await asyncio.sleep(0)
    drain.cancel()
    disk.free.set()
    await disk.batcher.drain()
    assert disk.became == {1: 10}


async def test_draining_nothing_returns_at_once() -> None:
    await asyncio.wait_for(Disk().batcher.drain(), 1)


async def test_what_can_wait_gathers_in_the_pause_after_a_batch() -> None:
    disk = Disk(pause=0.05)
    disk.batcher.submit(1)
    for number in range(2, 20):
        await asyncio.sleep(0.001)
        disk.batcher.submit(number)
    await disk.batcher.drain()
    assert disk.batches[0] == [1], "the first one waits for nothing"
    assert len(disk.batches) < 4
    assert [number for number, _ in disk.settled] == list(range(1, 20))
