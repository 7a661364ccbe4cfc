"""A burst is admitted a few at a time, and other work has a turn between any two admissions."""

import asyncio
import time
from functools import partial
from itertools import pairwise

import pytest

from app.core.serving import admission
from app.core.serving.admission import MAX_PER_TURN, MAX_YIELD_SECONDS, AdmissionQueue


async def test_an_empty_queue_admits_at_once() -> None:
    queue, admitted = AdmissionQueue(), list[int]()
    queue.submit(lambda: admitted.append(1))
    assert admitted == [1]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    queue.submit(lambda: admitted.append(2))
    assert admitted == [1, 2]


async def test_a_burst_is_admitted_in_order_a_few_per_iteration_of_the_loop() -> None:
    queue, admitted = AdmissionQueue(), list[int]()
    for number in range(50):
        queue.submit(partial(admitted.append, number))
    seen = [len(admitted)]
    while len(admitted) < 50:
        await asyncio.sleep(0)
        seen.append(len(admitted))
    assert admitted == list(range(50))
    assert seen[0] == 1
    assert all(later - earlier <= MAX_PER_TURN for earlier, later in pairwise(seen))


async def test_the_queue_stands_still_while_it_should_yield(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_YIELD_SECONDS", 60.0)
    monkeypatch.setattr(admission, "MAX_TOTAL_YIELD_SECONDS", 60.0)
    is_writing, admitted = True, list[str]()
    queue = AdmissionQueue(lambda: is_writing)
    queue.submit(partial(admitted.append, "first"))
    assert admitted == ["first"], "an empty queue does not yield"
    queue.submit(partial(admitted.append, "second"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert admitted == ["first"]
    is_writing = False
    while len(admitted) < 2:
        await asyncio.sleep(0)


async def test_one_admission_yields_for_a_bounded_time() -> None:
    queue, admitted = AdmissionQueue(lambda: True), list[float]()
    began = time.monotonic()
    queue.submit(lambda: None)
    queue.submit(lambda: admitted.append(time.monotonic()))
    while not admitted:
        await asyncio.sleep(0)
    assert admitted[0] - began >= MAX_YIELD_SECONDS


async def test_the_whole_queue_yields_for_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a long one, of which each admission may yield for as long."""
    monkeypatch.setattr(admission, "MAX_YIELD_SECONDS", 60.0)
    monkeypatch.setattr(admission, "MAX_TOTAL_YIELD_SECONDS", 0.05)
    queue, admitted = AdmissionQueue(lambda: True), list[int]()
    for number in range(100):
        queue.submit(partial(admitted.append, number))
    async with asyncio.timeout(30):
        while len(admitted) < 100:
            await asyncio.sleep(0)
    assert admitted == list(range(100))


async def test_a_cancelled_callback_is_not_called_and_costs_no_turn() -> None:
    queue, admitted = AdmissionQueue(), list[object]()
    queue.submit(lambda: None)
    cancelled = [partial(admitted.append, number) for number in range(1000)]
    for callback in cancelled:
        queue.submit(callback)
    queue.submit(partial(admitted.append, "stays"))
    for callback in [*cancelled, *cancelled]:
        queue.cancel(callback)
    for _ in range(3):
        await asyncio.sleep(0)
    assert admitted == ["stays"]


async def test_tasks_and_callbacks_share_one_queue() -> None:
    queue, admitted = AdmissionQueue(), list[str]()

    async def arrive(name: str) -> None:
        await queue.wait_turn()
        admitted.append(name)

    tasks = [asyncio.create_task(arrive("a")), asyncio.create_task(arrive("b"))]
    await asyncio.sleep(0)
    queue.submit(lambda: admitted.append("c"))
    tasks.append(asyncio.create_task(arrive("d")))
    await asyncio.gather(*tasks)
    assert sorted(admitted) == ["a", "b", "c", "d"]
    assert [name for name in admitted if name != "c"] == ["a", "b", "d"], (
        "a task is woken a moment after its turn"
    )


async def test_a_cancelled_waiter_stops_no_other() -> None:
    queue, admitted = AdmissionQueue(), list[str]()
    await queue.wait_turn()
    waiting = [asyncio.create_task(queue.wait_turn()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.wait(waiting[:1])
    queue.submit(lambda: admitted.append("last"))
    await asyncio.gather(*waiting[1:])
    while not admitted:
        await asyncio.sleep(0)
    assert admitted == ["last"]


async def test_a_callback_that_raises_stops_no_other() -> None:
    queue, admitted = AdmissionQueue(), list[object]()
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: errors.append(context["exception"])
    )
    await queue.wait_turn()
    queue.submit(lambda: admitted.append(1 // 0))
    queue.submit(lambda: admitted.append("last"))
    while not admitted:
        await asyncio.sleep(0)
    assert admitted == ["last"]
    assert [type(error) for error in errors] == [ZeroDivisionError]
