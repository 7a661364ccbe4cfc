"""Writes to the same row take turns; rows that are locked share one."""

import asyncio
from collections.abc import Hashable

import pytest

from app.core.database import DatabaseUnavailable, Deadlines
from app.core.database.turns import Turns


class Desk:
    """Work that ends when it is told to."""

    def __init__(self, seconds: float = 60) -> None:
        self.turns = Turns(Deadlines(begin=seconds))
        self.running: list[Hashable] = []
        self.may_end = asyncio.Event()

    async def work(self, key: Hashable, *, is_locked: bool = False) -> None:
        await self.turns.run(key, lambda: self._hold(key, is_locked))

    async def _hold(self, key: Hashable, is_locked: bool) -> None:
        self.running.append(key)
        await self.may_end.wait()
        self.running.remove(key)
        if is_locked:
            error = DatabaseUnavailable()
            error.waited_for_lock = True
            raise error

    async def start(self, *keys: Hashable) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.work(key)) for key in keys]
        for _ in range(5):
            await asyncio.sleep(0)
        return tasks

    async def block(self, *keys: Hashable) -> None:
        self.may_end.set()
        await asyncio.gather(*(self.work(key, is_locked=True) for key in keys), return_exceptions=True)
        self.may_end.clear()


async def test_one_job_at_a_time_for_each_key() -> None:
    desk = Desk()
    tasks = await desk.start("a", "a", "b")
    assert sorted(map(str, desk.running)) == ["a", "b"]
    desk.may_end.set()
    await asyncio.gather(*tasks)


async def test_blocked_keys_share_one_turn_until_each_succeeds() -> None:
    desk = Desk()
    await desk.block("a", "b")
    tasks = await desk.start("a", "b", "c", "d")
    assert sorted(map(str, desk.running)) == ["a", "c", "d"]
    desk.may_end.set()
    await asyncio.gather(*tasks)
    desk.may_end.clear()
    tasks = await desk.start("a", "b")
    assert sorted(map(str, desk.running)) == ["a", "b"]
    desk.may_end.set()
    await asyncio.gather(*tasks)


async def test_a_turn_that_does_not_come_in_time_is_refused() -> None:
    desk = Desk(seconds=0.01)
    tasks = await desk.start("a")
    with pytest.raises(DatabaseUnavailable):
        await desk.work("a")
    desk.may_end.set()
    await asyncio.gather(*tasks)
    await desk.work("a")


async def test_keys_are_forgotten() -> None:
    desk = Desk()
    desk.may_end.set()
    await asyncio.gather(*(desk.work(key) for key in range(100)))
    assert not desk.turns._places


async def test_work_keeps_its_turn_when_its_caller_leaves() -> None:
    """Otherwise callers who come and go would hold a thread each."""
    desk = Desk()
    (left, waiting, gone) = await desk.start("a", "a", "a")
    left.cancel()
    gone.cancel()
    await asyncio.wait([left, gone])
    assert desk.running == ["a"]
    assert not waiting.done()
    desk.may_end.set()
    await waiting
    assert desk.running == []
    assert not desk.turns._places
