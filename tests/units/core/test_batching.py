"""Group commit: waiting items are written together, in their order, and a bad item fails alone."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from structlog.testing import capture_logs

from app.core.batching import Batcher
from app.core.database import DatabaseUnavailable


class Disk:
    """Writes batches, each when it is allowed to; a negative number is refused, and with it the batch."""

    def __init__(self, limit: int = 1000, pause: float = 0.0, *, is_free: bool = True) -> None:
        self.batches: list[list[int]] = []
        self.answers: list[tuple[int, int | Exception]] = []
        """Every item with its result or error, in the order of the answers."""
        self.free = asyncio.Event()
        if is_free:
            self.free.set()
        self._batcher: Batcher[int, int] = Batcher(self._write, self._may_retry, 60, limit, pause)

    def submit(self, number: int, answer: Callable[[int | Exception], None] | None = None) -> None:
        self._batcher.submit(number, answer or partial(self._answer, number))

    async def drain(self) -> None:
        await self._batcher.drain()

    async def store(self, *numbers: int) -> None:
        """Submit all of these and wait for the answers."""
        for number in numbers:
            self.submit(number)
        await self.drain()

    @property
    def outcomes(self) -> dict[int, int | str]:
        return {number: str(end) if isinstance(end, Exception) else end for number, end in self.answers}

    async def _write(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        await self.free.wait()
        if any(number < 0 for number in numbers):
            raise ValueError("bad number" if min(numbers) > -100 else "unknown")
        return [number * 10 for number in numbers]

    def _may_retry(self, _number: int, error: Exception) -> bool:
        return str(error) != "unknown"

    def _answer(self, number: int, outcome: int | Exception) -> None:
        self.answers.append((number, outcome))


async def test_the_next_batch_gathers_while_one_is_written() -> None:
    disk = Disk(is_free=False)
    disk.submit(1)
    await asyncio.sleep(0)
    for number in (2, 3, 4):
        disk.submit(number)
        await asyncio.sleep(0)
    disk.free.set()
    await disk.drain()
    assert disk.batches == [[1], [2, 3, 4]]


async def test_every_item_is_answered_once_and_in_order() -> None:
    disk = Disk()
    await disk.store(*range(500))
    assert disk.answers == [(number, number * 10) for number in range(500)]


async def test_equal_items_are_answered_separately() -> None:
    disk = Disk()
    await disk.store(7, 7)
    assert disk.answers == [(7, 70), (7, 70)]


async def test_a_batch_has_a_limit() -> None:
    disk = Disk(limit=2)
    await disk.store(1, 2, 3, 4, 5)
    assert disk.batches == [[1, 2], [3, 4], [5]]


async def test_an_idle_batcher_writes_at_once() -> None:
    disk = Disk()
    disk.submit(1)
    await asyncio.sleep(0)
    assert disk.batches == [[1]]
    await disk.drain()


async def test_one_bad_item_fails_alone() -> None:
    disk = Disk()
    await disk.store(1, -2, 3)
    assert disk.outcomes == {1: 10, -2: "bad number", 3: 30}
    assert [number for number, _ in disk.answers] == [1, -2, 3]
    assert disk.batches == [[1, -2, 3], [1], [-2], [3]]


async def test_no_item_is_tried_alone_once_the_database_fails() -> None:
    """Each attempt would take until its deadline, and the answers would come minutes later."""
    batches: list[list[int]] = []
    answers: list[int | Exception] = []

    async def write(numbers: Sequence[int]) -> list[int]:
        batches.append(list(numbers))
        if len(numbers) > 1:
            raise ValueError("bad number")
        if numbers[0] > 1:
            raise DatabaseUnavailable
        return [10]

    batcher: Batcher[int, int] = Batcher(write, lambda _number, _error: True, 60)
    for number in (1, 2, 3, 4):
        batcher.submit(number, answers.append)
    await batcher.drain()
    assert batches == [[1, 2, 3, 4], [1], [2]]
    assert [type(answer) for answer in answers] == [int, *[DatabaseUnavailable] * 3]


async def test_an_item_that_is_tried_alone_is_handed_over_before_the_next_is_tried() -> None:
    """What comes after it for the same place would overtake it."""
    answers: list[int | Exception] = []
    was_handed_over: list[bool] = []

    async def take(numbers: Sequence[int]) -> list[int]:
        return [number * 100 for number in numbers]

    other: Batcher[int, int] = Batcher(take, lambda _number, _error: True, 60)

    async def write(numbers: Sequence[int]) -> list[int | Batcher[int, int]]:
        if len(numbers) > 1:
            raise ValueError("bad number")
        was_handed_over.append(not other.is_idle)
        return [other if numbers[0] == 1 else numbers[0]]

    batcher: Batcher[int, int] = Batcher(write, lambda _number, _error: True, 60)
    for number in (1, 2):
        batcher.submit(number, answers.append)
    await batcher.drain()
    await other.drain()
    assert was_handed_over == [False, True]
    assert answers == [2, 100]


async def test_items_that_may_not_be_retried_get_the_error_of_the_batch() -> None:
    disk = Disk()
    await disk.store(1, -100)
    assert disk.outcomes == {1: "unknown", -100: "unknown"}
    assert disk.batches == [[1, -100]]


async def test_items_that_may_be_stored_are_answered_with_an_error_but_never_written_again() -> None:
    """A writer that returns too few results has a bug, but it has written."""
    batches: list[list[int]] = []
    answers: list[int | Exception] = []

    async def write(numbers: Sequence[int]) -> list[int]:
        batches.append(list(numbers))
        return [number * 10 for number in numbers[1:]]

    batcher: Batcher[int, int] = Batcher(write, lambda _number, _error: True, 60)
    for number in (1, 2):
        batcher.submit(number, answers.append)
    await batcher.drain()
    assert batches == [[1, 2]]
    assert [str(answer) for answer in answers] == ["1 results for 2 items"] * 2


async def test_batches_are_written_after_a_failure() -> None:
    disk = Disk()
    await disk.store(-1)
    await disk.store(2)
    assert disk.outcomes == {-1: "bad number", 2: 20}


async def test_an_answer_that_raises_is_logged_and_keeps_no_other_from_its_answer() -> None:
    def fails(_outcome: int | Exception) -> None:
        raise ZeroDivisionError

    disk = Disk()
    with capture_logs() as lines:
        disk.submit(1, fails)
        await disk.store(2)
    assert disk.answers == [(2, 20)]
    assert [line["event"] for line in lines] == ["answer.failed"]


async def test_drain_waits_for_items_submitted_while_it_waits() -> None:
    disk = Disk(is_free=False)
    disk.submit(1)
    drain = asyncio.create_task(disk.drain())
    await asyncio.sleep(0)
    disk.submit(2)
    assert not drain.done()
    disk.free.set()
    await drain
    assert disk.outcomes == {1: 10, 2: 20}


async def test_a_cancelled_drain_does_not_stop_the_write() -> None:
    disk = Disk(is_free=False)
    disk.submit(1)
    drain = asyncio.create_task(disk.drain())
    await asyncio.sleep(0)
    drain.cancel()
    disk.free.set()
    await disk.drain()
    assert disk.outcomes == {1: 10}


async def test_draining_an_idle_batcher_returns_at_once() -> None:
    await asyncio.wait_for(Disk().drain(), 1)


async def test_items_gather_in_the_pause_after_a_batch() -> None:
    disk = Disk(pause=0.05)
    disk.submit(1)
    for number in range(2, 20):
        await asyncio.sleep(0.001)
        disk.submit(number)
    await disk.drain()
    assert disk.batches[0] == [1], "the first one waits for nothing"
    assert len(disk.batches) < 4
    assert [number for number, _ in disk.answers] == list(range(1, 20))


async def test_an_item_that_waited_too_long_is_refused_and_not_written() -> None:
    batches: list[list[int]] = []
    answers: list[int | Exception] = []

    async def write(numbers: Sequence[int]) -> list[int]:
        batches.append(list(numbers))
        await asyncio.sleep(0.05)
        return list(numbers)

    batcher: Batcher[int, int] = Batcher(write, lambda _number, _error: True, patience=0.02)
    batcher.submit(1, answers.append)
    await asyncio.sleep(0)
    batcher.submit(2, answers.append)
    await batcher.drain()
    assert batches == [[1]]
    assert [type(answer) for answer in answers] == [int, DatabaseUnavailable]


async def test_an_item_can_be_handed_over_to_another_batcher_which_answers_it() -> None:
    answers: list[int | Exception] = []

    async def write_odd(numbers: Sequence[int]) -> list[int]:
        return [number * 100 for number in numbers]

    async def write(numbers: Sequence[int]) -> list[int | Batcher[int, int]]:
        return [odd if number % 2 else number * 10 for number in numbers]

    odd: Batcher[int, int] = Batcher(write_odd, lambda _number, _error: True, patience=60)
    batcher: Batcher[int, int] = Batcher(write, lambda _number, _error: True, patience=60)
    for number in (1, 2, 3, 4):
        batcher.submit(number, answers.append)
    await batcher.drain()
    await odd.drain()
    assert answers == [20, 40, 100, 300]
