"""What is taken back is gone from the disk as well, not only from sight.

SQLite's `secure_delete` overwrites it in the database file, but the write-ahead log still holds the pages as they were,
until it is emptied. So that is done a moment after something was erased.
"""

import asyncio
import sqlite3
from concurrent.futures import Executor

from app.core.logs import log

DELAY_SECONDS = 1.0
"""Emptying the log costs two fsyncs: many erasures share one. A reader who is in the way is waited for as long."""
PATIENCE_SECONDS = 0.2
"""How long writing may stand still for it."""


class LogEraser:
    """Empties the log of one SQLite file, in the thread that writes."""

    def __init__(self, path: str, writer: Executor) -> None:
        self._path = path
        self._writer = writer
        self.is_due = False

    def soon(self) -> None:
        """Something was erased and committed. Called in the event loop."""
        if not self.is_due:
            self.is_due = True
            asyncio.get_running_loop().call_later(DELAY_SECONDS, self._begin)

    def _begin(self) -> None:
        self.is_due = False
        try:
            done = asyncio.get_running_loop().run_in_executor(self._writer, self.now)
        except RuntimeError:
            return  # the database is closed, and with that its log is gone
        done.add_done_callback(self._again)

    def _again(self, done: asyncio.Future[bool]) -> None:
        if not done.cancelled() and not done.result():
            self.soon()

    def now(self) -> bool:
        """Move the log into the database file and empty it. False if somebody else was in the way."""
        connection = sqlite3.connect(self._path, timeout=PATIENCE_SECONDS)
        try:
            busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError as error:
            log.warning("erasure.delayed", error=repr(error))
            return False
        finally:
            connection.close()
        return not busy
