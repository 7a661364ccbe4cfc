"""The queue of passwords: origins take turns, and a full queue has a place for an origin that has few in it."""

import asyncio

import pytest

from app.core.security.turns import QueueFull, TurnQueue


class Line:
    """Requests in a queue, which end when the test says so."""

    def __init__(self, slots: int = 1, length: int = 0) -> None:
        self.queue = TurnQueue(slots, length)
        self.began: list[str] = []
        self.refused: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def add(self, *names: str) -> None:
        """The first letter of a name is its origin."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._hold(name))
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def _hold(self, name: str) -> None:
        try:
            async with self.queue.slot(name[0]):
                self.began.append(name)
                await self._ends[name].wait()
        except QueueFull:
            self.refused.append(name)

    async def finish(self) -> None:
        """End each one when it has begun."""
        for _ in range(len(self.tasks)):
            for name in list(self.began):
                self._ends[name].set()
            await self.settle()


async def test_origins_take_turns() -> None:
    line = Line()
    await line.add("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    assert line.began == ["a1"]
    await line.finish()
    assert line.began == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_as_many_run_as_there_are_slots() -> None:
    line = Line(slots=2)
    await line.add("a1", "a2", "b1")
    assert line.began == ["a1", "a2"]
    await line.finish()
    await line.add("c1", "c2", "c3")
    assert line.began == ["a1", "a2", "b1", "c1", "c2"]
    await line.finish()


async def test_an_origin_that_fills_the_queue_keeps_no_other_out() -> None:
    line = Line(length=3)
    await line.add("a1", "a2", "a3", "a4", "a5")
    assert line.refused == ["a5"], "its own queue is full"
    await line.add("b1")
    assert line.refused == ["a5", "a4"], "the last of the most numerous gives way"
    await line.add("b2")
    assert line.refused == ["a5", "a4", "b2"], "none has more places than it would have"
    await line.add("c1")
    assert line.refused == ["a5", "a4", "b2", "a3"]
    await line.finish()
    assert line.began == ["a1", "a2", "b1", "c1"]
    assert line.queue.waiting == 0


@pytest.mark.parametrize("name, order", [("a2", ["a1", "a3", "b1"]), ("b1", ["a1", "a2", "a3"])])
async def test_one_that_leaves_while_it_waits_loses_no_slot(name: str, order: list[str]) -> None:
    line = Line()
    await line.add("a1", "a2", "a3", "b1")
    line.tasks[name].cancel()
    await line.finish()
    assert line.began == order
    await line.add("c1")
    assert line.began[-1] == "c1", "the slot is free"
    await line.finish()


async def test_one_that_leaves_as_its_turn_comes_passes_it_on() -> None:
    queue = TurnQueue(1, 0)
    async with queue.slot("a"):
        second = asyncio.create_task(queue.slot("b").__aenter__())
        third = asyncio.create_task(queue.slot("c").__aenter__())
        await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second, third], timeout=5)
    assert second.cancelled()
    assert third.done()


async def test_one_that_leaves_as_it_is_refused_had_no_slot() -> None:
    queue = TurnQueue(1, 2)
    async with queue.slot("a"):
        waiting = [asyncio.create_task(queue.slot("a").__aenter__()) for _ in range(2)]
        await asyncio.sleep(0)
        other = asyncio.create_task(queue.slot("b").__aenter__())
        await asyncio.sleep(0)
        waiting[1].cancel()
        await asyncio.wait([waiting[1]], timeout=5)
        assert not waiting[0].done()
        assert not other.done(), "the slot is still held"
    await asyncio.wait([waiting[0]], timeout=5)
    assert not other.done(), "there is one slot"
    other.cancel()
    await asyncio.wait([other], timeout=5)


async def test_a_place_of_one_that_has_just_left_is_taken_without_harm() -> None:
    queue = TurnQueue(1, 2)
    async with queue.slot("a"):
        waiting = [asyncio.create_task(queue.slot("a").__aenter__()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        other = asyncio.create_task(queue.slot("b").__aenter__())
        await asyncio.wait([waiting[1]], timeout=5)
        waiting[0].cancel()
    await asyncio.wait([other, *waiting], timeout=5)
    assert other.done()
    assert not other.cancelled()
    assert queue.waiting == 0
