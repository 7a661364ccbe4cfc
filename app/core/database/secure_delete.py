"""Removes deleted text from the disk, not only from the tables.

SQLite's `secure_delete` overwrites it in the database file, but the write-ahead log keeps the old pages until it is
truncated, which follows a moment after each erasing commit.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import closing

from app.core.logs import log

DELAY_SECONDS = 1.0
"""From an erasing commit to the truncation, and between attempts. Each costs two fsyncs, so many commits share one."""
BUSY_TIMEOUT_SECONDS = 0.2
"""How long the writer thread may wait for readers."""


class WalTruncator:
    """Truncates the write-ahead log of one SQLite file, in the writer thread."""

    def __init__(self, connect: Callable[[float], sqlite3.Connection], writer: Executor) -> None:
        """`connect` opens a connection with this timeout in seconds."""
        self._connect = connect
        self._writer = writer
        self.is_scheduled = False

    def schedule(self) -> None:
        """Truncate soon: text was deleted and committed. Called in the event loop."""
        if not self.is_scheduled:
            self.is_scheduled = True
            asyncio.get_running_loop().call_later(DELAY_SECONDS, self._start)

    def run(self) -> bool:
        """Move the log into the database file and truncate it. False if a reader or another program prevented it."""
        try:
            with closing(self._connect(BUSY_TIMEOUT_SECONDS)) as connection:
                busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.Error as error:
            log.warning("wal.truncation_delayed", error=repr(error))
            return False
        return not busy

    def _start(self) -> None:
        self.is_scheduled = False
        try:
            done = asyncio.get_running_loop().run_in_executor(self._writer, self.run)
        except RuntimeError:
            return  # the database is closed, and its log is gone
        done.add_done_callback(self._retry)

    def _retry(self, done: asyncio.Future[bool]) -> None:
        if not done.cancelled() and not done.result():
            self.schedule()
