"""A crowd goes through a few at a time, and whoever is at work meanwhile has a turn between any two."""

import asyncio
import time
from functools import partial
from itertools import pairwise

import pytest

from app.core.serving import admission as module
from app.core.serving.admission import A_FEW, GIVE_WAY_SECONDS, AdmissionQueue


async def test_who_comes_alone_goes_through_at_once() -> None:
    turnstile, through = AdmissionQueue(), list[object]()
    turnstile.enter(lambda: through.append(1))
    assert through == [1]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    turnstile.enter(lambda: through.append(2))
    assert through == [1, 2]


async def test_a_crowd_goes_through_in_its_order_a_few_each_time_the_loop_turns() -> None:
    turnstile, through = AdmissionQueue(), list[object]()
    for number in range(50):
        turnstile.enter(partial(through.append, number))
    seen = [len(through)]
    while len(through) < 50:
        await asyncio.sleep(0)
        seen.append(len(through))
    assert through == list(range(50))
    assert seen[0] == 1
    assert all(later - earlier <= A_FEW for earlier, later in pairwise(seen))


async def test_a_line_stands_still_while_it_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GIVE_WAY_SECONDS", 60.0)
    monkeypatch.setattr(module, "LONGEST_SECONDS", 60.0)
    is_writing, through = True, list[object]()
    turnstile = AdmissionQueue(lambda: is_writing)
    turnstile.enter(partial(through.append, "first"))
    assert through == ["first"], "who comes alone waits for nobody"
    turnstile.enter(partial(through.append, "second"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert through == ["first"]
    is_writing = False
    while len(through) < 2:
        await asyncio.sleep(0)


async def test_but_not_for_long() -> None:
    turnstile, through = AdmissionQueue(lambda: True), list[float]()
    began = time.monotonic()
    turnstile.enter(lambda: None)
    turnstile.enter(lambda: through.append(time.monotonic()))
    while not through:
        await asyncio.sleep(0)
    assert through[0] - began >= GIVE_WAY_SECONDS


async def test_nobody_gives_way_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in a line that is long, of which each step may take as long."""
    monkeypatch.setattr(module, "GIVE_WAY_SECONDS", 60.0)
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.05)
    turnstile, through = AdmissionQueue(lambda: True), list[object]()
    for number in range(100):
        turnstile.enter(partial(through.append, number))
    async with asyncio.timeout(30):
        while len(through) < 100:
            await asyncio.sleep(0)
    assert through == list(range(100))


async def test_who_leaves_the_line_is_not_called_and_costs_no_turn() -> None:
    turnstile, through = AdmissionQueue(), list[object]()
    turnstile.enter(lambda: None)
    gone = [partial(through.append, number) for number in range(1000)]
    for go in gone:
        turnstile.enter(go)
    turnstile.enter(partial(through.append, "stays"))
    for go in [*gone, *gone]:
        turnstile.leave(go)
    for _ in range(3):
        await asyncio.sleep(0)
    assert through == ["stays"]


async def test_tasks_and_calls_stand_in_one_line() -> None:
    turnstile, through = AdmissionQueue(), list[object]()

    async def walk(name: str) -> None:
        await turnstile.turn()
        through.append(name)

    tasks = [asyncio.create_task(walk("a")), asyncio.create_task(walk("b"))]
    await asyncio.sleep(0)
    turnstile.enter(lambda: through.append("c"))
    tasks.append(asyncio.create_task(walk("d")))
    await asyncio.gather(*tasks)
    assert sorted(map(str, through)) == ["a", "b", "c", "d"]
    assert [name for name in through if name != "c"] == ["a", "b", "d"], (
        "a task is woken a moment after its turn"
    )


async def test_who_gives_up_in_line_stops_nobody() -> None:
    turnstile, through = AdmissionQueue(), list[object]()
    await turnstile.turn()
    waiting = [asyncio.create_task(turnstile.turn()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.wait(waiting[:1])
    turnstile.enter(lambda: through.append("last"))
    await asyncio.gather(*waiting[1:])
    while not through:
        await asyncio.sleep(0)
    assert through == ["last"]


async def test_who_stumbles_in_line_stops_nobody() -> None:
    turnstile, through = AdmissionQueue(), list[object]()
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["exception"]))
    await turnstile.turn()
    turnstile.enter(lambda: through.append(1 // 0))
    turnstile.enter(lambda: through.append("last"))
    while not through:
        await asyncio.sleep(0)
    assert [type(error) for error in told] == [ZeroDivisionError]
