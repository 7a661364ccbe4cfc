"""Jobs are answered within their deadlines, truly, whatever their threads do."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import URL, event

from app.core.database import Database, DatabaseUnavailable, Deadlines, UnitOfWork, Unknown
from app.core.database.deadlines import asked_at, asked_since
from app.core.database.jobs import Job
from tests.support.server import wait_until

DEADLINES = Deadlines(begin=1.0, run=1.2)
GRACE = 1.0


class Stuck:
    """Work in a driver that does not return, and that the watchdog cannot reach."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.ran = 0

    def __call__(self, _db: UnitOfWork) -> str:
        self.ran += 1
        assert self.may_end.wait(30)
        return "done"


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    database = Database(URL.create("sqlite"), pool_size=1, deadlines=DEADLINES)
    yield database
    await database.aclose()


async def outcome(work: asyncio.Future[str]) -> tuple[type[object], float]:
    began = time.monotonic()
    (found,) = await asyncio.gather(work, return_exceptions=True)
    return type(found), time.monotonic() - began


async def test_a_job_that_is_stuck_before_commit_is_unavailable_and_never_commits(database: Database) -> None:
    stuck, commits = Stuck(), list[object]()
    event.listen(database.writer, "commit", commits.append)
    kind, seconds = await outcome(asyncio.ensure_future(database.write(stuck)))
    assert kind is DatabaseUnavailable
    assert seconds < DEADLINES.run + GRACE
    stuck.may_end.set()
    await database.write(lambda db: None)
    assert len(commits) <= 1, "the job that was refused committed"


async def test_a_job_that_is_stuck_in_commit_is_unknown_and_what_it_announced_is_published(
    database: Database,
) -> None:
    published: list[object] = []
    database.on_commit(published.extend)
    may_end = threading.Event()
    event.listen(database.writer, "commit", lambda _: may_end.wait(30), once=True)

    def announce(db: UnitOfWork) -> None:
        db.connection()
        db.announcements.append("said")

    kind, _ = await outcome(asyncio.ensure_future(database.write(announce)))  # type: ignore[arg-type]
    assert kind is Unknown
    assert published == []
    may_end.set()
    await database.write(lambda db: None)
    assert published == ["said"]


async def test_a_job_that_waited_too_long_is_refused_and_never_runs(database: Database) -> None:
    first, second = Stuck(), Stuck()
    stuck = asyncio.ensure_future(database.write(first))
    await asyncio.sleep(0)
    kind, seconds = await outcome(asyncio.ensure_future(database.write(second)))
    assert kind is DatabaseUnavailable
    assert seconds < DEADLINES.begin + GRACE
    first.may_end.set()
    await asyncio.gather(stuck, return_exceptions=True)
    await database.write(lambda db: None)
    assert second.ran == 0


async def test_all_jobs_of_a_command_share_its_time(database: Database) -> None:
    stuck = Stuck()
    with asked_since(time.monotonic() - DEADLINES.answer + 0.1):
        kind, seconds = await outcome(asyncio.ensure_future(database.read(stuck)))
    assert kind is DatabaseUnavailable
    assert seconds < DEADLINES.run
    stuck.may_end.set()


async def test_a_task_that_outlives_its_command_has_its_own_time(database: Database) -> None:
    go_on = asyncio.Event()

    async def later() -> str:
        await go_on.wait()
        return await database.read(lambda db: "read")

    with asked_since(time.monotonic() - 60):
        task = asyncio.create_task(later())
        await asyncio.sleep(0)
    go_on.set()
    assert await task == "read"
    assert time.monotonic() - asked_at() < 1


async def test_a_job_whose_caller_left_before_it_began_never_runs(database: Database) -> None:
    first, second = Stuck(), Stuck()
    stuck = asyncio.ensure_future(database.write(first))
    left = asyncio.ensure_future(database.write(second))
    await asyncio.sleep(0)
    left.cancel()
    first.may_end.set()
    await stuck
    await database.write(lambda db: None)
    assert second.ran == 0


async def test_many_jobs_of_an_idle_database_leave_nothing_to_watch() -> None:
    database = Database(
        URL.create("sqlite"), pool_size=1
    )  # a busy machine may take longer than the short deadlines
    await asyncio.gather(*(database.read(lambda db: None) for _ in range(100)))
    await asyncio.to_thread(wait_until, lambda: not database._watchdog._jobs, "forgotten")
    await database.aclose()


async def test_a_job_that_ends_as_it_falls_due_is_answered_with_its_result() -> None:
    """The watchdog may look between the end of a job and the turn of the loop that delivers its result."""
    job: Job[str] = Job(DEADLINES, time.monotonic(), lambda: "committed")
    await asyncio.to_thread(job.run)
    overdue = time.monotonic() + 60
    assert not job.is_pending(overdue)
    assert await job.answer == "committed"


async def test_a_job_that_begins_as_it_falls_due_has_its_time() -> None:
    job: Job[str] = Job(DEADLINES, time.monotonic(), lambda: "done")
    due_to_begin = job.due
    seen: list[bool] = []

    def look_while_it_runs() -> str:
        seen.append(job.is_pending(due_to_begin))
        return "done"

    job = Job(DEADLINES, time.monotonic(), look_while_it_runs)
    await asyncio.to_thread(job.run)
    assert (seen, await job.answer) == ([True], "done")


async def test_work_that_raises_stop_iteration_is_answered(database: Database) -> None:
    """A future takes no StopIteration; its caller would wait for ever."""
    with pytest.raises(RuntimeError, match="StopIteration"):
        async with asyncio.timeout(10):
            await database.write(lambda _db: next(iter(())))


async def test_a_job_that_was_refused_keeps_nothing_of_its_work() -> None:
    """Its place in the queue of a thread that hangs remains."""
    job: Job[str] = Job(DEADLINES, time.monotonic(), lambda: "done")
    assert not job.is_pending(job.due)
    assert job._work is None
    with pytest.raises(DatabaseUnavailable):
        await job.answer
