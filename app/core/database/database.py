"""Runs units of work in threads, and publishes what they announce.

What a transaction announces is published after its commit and dropped by a rollback. There is no other way to publish.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.engine import URL

from app.core.database.deadlines import Deadlines, asked_at
from app.core.database.engines import open_engines
from app.core.database.failures import (
    DatabaseUnavailable,
    Unknown,
    is_deadlock,
    is_failure,
    is_lost,
    unavailable,
    wrote_nothing,
)
from app.core.database.file_watch import WATCH_SECONDS, FileWatch
from app.core.database.jobs import Job, Watchdog, current_job
from app.core.database.point_reads import PointQuery, PointReader
from app.core.database.secure_delete import WalTruncator
from app.core.database.status import Status, count_connections
from app.core.database.turns import Turns
from app.core.database.unit_of_work import UnitOfWork
from app.core.database.write_health import WriteHealth

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[UnitOfWork, P], T]
Publish = Callable[[list[Any]], None]

ATTEMPTS = 3
STALLED_SECONDS = 0.02
"""A write without progress for longer than this waits for a lock or for the disk, not for the interpreter."""


class Database:
    """Runs units of work: readers on snapshots, writers one after the other on SQLite, in a bounded pool elsewhere.

    Every read and write is answered within `deadlines`, whatever becomes of the thread that runs it.
    """

    def __init__(self, url: URL, pool_size: int, deadlines: Deadlines | None = None) -> None:
        self.dialect = url.get_backend_name()
        self.deadlines = deadlines or Deadlines()
        self._watchdog = Watchdog(self.deadlines)
        self._turns = Turns(self.deadlines)
        self.writer, self.reader, writers, readers = open_engines(url, pool_size, self.deadlines)
        # As many threads as connections: work queues for a thread, and no thread ever waits for a connection.
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="db-write")
        is_shared = self.reader is self.writer
        self._readers = self._writers if is_shared else _reader_threads(readers)
        is_file = self.dialect == "sqlite" and not is_shared
        self._file = FileWatch(str(url.database), self.writer, self.reader) if is_file else None
        self._point_reader = PointReader(self.reader.dialect, self._file.open) if self._file else None
        self._on_file_changed: Callable[[UnitOfWork], object] = lambda _: None
        self._truncator = WalTruncator(self._file.open, self._writers) if self._file else None
        self._has_erased = False
        self._health = WriteHealth(self.writer, self.deadlines.replace_pool)
        self._publish: Publish = lambda _: None
        self._writing = 0
        self._progressed_at = 0.0
        self.is_closed = False
        """Whether every thread has ended and every connection is closed."""

    def on_commit(self, publish: Publish) -> None:
        """Call `publish` in the event loop with what each commit announced. Nothing else ever calls it."""
        self._publish = publish

    def on_file_changed(self, work: Callable[[UnitOfWork], object]) -> None:
        """Run `work` in a transaction when the SQLite file was replaced while the server runs, before anything else
        reads or writes the new file. If it raises, the new file is not used, and tried again 5 s later."""
        self._on_file_changed = work

    async def keep_file(self) -> None:
        """Compare the path of a SQLite file with the open one, every 5 s, and go on in another one. Runs for ever."""
        while self._file:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                if await asyncio.to_thread(self._file.look):
                    await self._reopen(self._file)
            except Exception as error:  # noqa: BLE001 - it is tried again, whatever the error
                self._file.not_reopened(error)

    @property
    def is_writing(self) -> bool:
        """Whether a transaction is running and making progress, rather than waiting for a lock or for the disk."""
        return self._writing > 0 and time.monotonic() - self._progressed_at < STALLED_SECONDS

    def status(self) -> Status:
        """Called in the event loop."""
        now = time.monotonic()
        since_commit, is_failing = self._health.since_commit(now), self._health.is_failing
        in_use, size = count_connections((self.writer, self.reader))
        return Status(since_commit, is_failing, self._watchdog.oldest(now), in_use, size)

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work that changes nothing, on one snapshot of the data. Raises DatabaseUnavailable."""
        return await self._run(self._readers, lambda: self._run_read(work, args, kwargs))

    async def lookup(self, query: PointQuery, *values: Any) -> Sequence[Any] | None:
        """One row by its key, or None. Raises DatabaseUnavailable.

        SQLite is asked right in the event loop: it answers from memory within some 10 µs, and its readers wait for no
        writer. Switching to a thread and back takes 300. While anything is slow only threads ask: the disk may hang.
        """
        if self._point_reader and self._file and self._file.is_current and not self._watchdog.is_slow:
            try:
                return self._point_reader.fetch_one(query, values)
            except sqlite3.Error:
                pass  # it would have to wait, which only threads may do; any other error a thread reports
        return await self.read(_lookup, query, values)

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work in a transaction; when this returns, it is on disk and published.

        Raises DatabaseUnavailable if nothing was stored, and Unknown if that is not known.
        """
        loop = asyncio.get_running_loop()
        if not self._writing:
            self._progressed_at = time.monotonic()
        self._writing += 1
        try:
            return await self._run(self._writers, lambda: self._run_write(loop, work, args, kwargs))
        finally:
            self._writing -= 1
            self._progressed_at = time.monotonic()

    async def write_in_turn(self, key: Hashable, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same, after all earlier writes with this key: for work that locks a row and may have to wait for it.

        Threads are few, and so each row that is locked holds one of them at most.
        """
        return await self._turns.run(key, lambda: self.write(work, *args, **kwargs))

    async def _run(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        job: Job[T] = Job(self.deadlines, asked_at(), work)
        threads.submit(job.run)
        self._watchdog.watch(job)
        try:
            return await job.answer
        finally:
            job.abandon()
            self._watchdog.forget(job)

    def transact(
        self, work: Callable[Concatenate[UnitOfWork, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> tuple[T, list[Any]]:
        """Run one transaction in this thread: its result, and what it announced.

        Raises Unknown if COMMIT fails or went into a file without a name, and DatabaseUnavailable if it stored nothing.
        """
        db = UnitOfWork(self.writer)
        with db.ending():
            result = work(db, *args, **kwargs)
            db.flush()
            if (job := current_job()) is not None:
                job.enter_commit()
            try:
                db.commit()
            except Exception as error:
                if wrote_nothing(error):
                    raise DatabaseUnavailable from error
                raise Unknown from error
            has_written = self._file is None or self._file.has_written()
            is_in_place = not has_written or self._file is None or self._file.is_in_place()
        if not is_in_place:
            raise Unknown  # the file was taken away meanwhile, with what was stored in it
        # The outcome is fixed: nothing from here on may fail.
        self._has_erased |= db.erases
        if has_written:  # an empty commit succeeds on a full disk too
            self._health.succeeded()
        return result, db.announcements

    def truncate_log(self) -> None:
        """Truncate the write-ahead log, which a killed process may have left: see `secure_delete`."""
        if self._truncator:
            self._truncator.run()

    async def aclose(self) -> None:
        """Let running work finish, however long it takes, then close every connection."""
        self._close_point_reader()
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """The same without an event loop. Raises sqlite3.ProgrammingError in a thread other than the event loop's."""
        self._close_point_reader()
        self._writers.shutdown()
        self._readers.shutdown()
        if self._truncator and self._truncator.is_scheduled:
            self._truncator.run()
        self.writer.dispose()
        self.reader.dispose()
        self.is_closed = True

    def _run_read(self, work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        if self._file and not self._file.is_current:
            raise DatabaseUnavailable
        for attempt in range(ATTEMPTS):
            db = UnitOfWork(self.reader)
            try:
                with db.ending():
                    return work(db, *args, **kwargs)
            except Exception as error:
                if _may_repeat(error, attempt):
                    continue
                if is_failure(error):
                    raise unavailable(error) from error
                raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _run_write(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> T:
        if self._file and not self._file.is_usable():
            raise DatabaseUnavailable
        for attempt in range(ATTEMPTS):
            try:
                result, announced = self.transact(work, *args, **kwargs)
            except Exception as error:
                if _may_repeat(error, attempt):
                    continue
                self._health.failed(error)
                if is_failure(error):
                    raise unavailable(error) from error
                raise
            if announced:
                loop.call_soon_threadsafe(self._publish, announced)
            if self._has_erased and self._truncator:
                self._has_erased = False
                loop.call_soon_threadsafe(self._truncator.schedule)
            return result
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _reopen(self, file: FileWatch) -> None:
        """Raises UnusableFile, and what the work on the new file raises."""

        def begin() -> list[Any]:
            file.reopen()
            return self.transact(self._on_file_changed)[1]

        announced = await asyncio.get_running_loop().run_in_executor(self._writers, begin)
        self._close_point_reader()
        self._point_reader = PointReader(self.reader.dialect, file.open)
        file.reopened()
        self._publish(announced)

    def _close_point_reader(self) -> None:
        if self._point_reader is not None:
            self._point_reader.close()
            self._point_reader = None


def _may_repeat(error: Exception, attempt: int) -> bool:
    """Whether to run a transaction again that failed before its COMMIT: after a deadlock, and once after a connection
    broke, since those that were used a moment ago are not tested before they are used again."""
    return attempt + 1 < ATTEMPTS and (is_deadlock(error) or (attempt == 0 and is_lost(error)))


def _lookup(db: UnitOfWork, query: PointQuery, values: tuple[Any, ...]) -> Sequence[Any] | None:
    return query.find(db.connection(), values)


def _reader_threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="db-read")
