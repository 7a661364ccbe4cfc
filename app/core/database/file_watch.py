"""Notices that the path of a SQLite database names no file any more, or another one.

SQLite itself notices nothing: it goes on in the file it has open, and everything that is acknowledged from then on is
gone at the next start.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, Engine, event

from app.core.database import integrity, migrations, sqlite_files
from app.core.database.sqlite_files import Identity, identity
from app.core.logs import log

WATCH_SECONDS = 5.0
CHECK_SECONDS = 5.0
"""How long a new file may be searched for damage before it is used."""


class UnusableFile(Exception):
    """The file that is there now cannot take the place of the one before."""


class FileWatch:
    """Compares path and log with the files that are open, by device and inode.

    From the first connection on, no connection creates a file or opens another one.
    """

    def __init__(self, path: str, writer: Engine, reader: Engine) -> None:
        self._path = path
        self._log_path = sqlite_files.log_of(path)
        self._engines = writer, reader
        self.is_current = True
        """Whether the database may be used. False once the path names none of the open files."""
        self._file: Identity | None = None
        self._log: Identity | None = None
        """While the writer's connection is open."""
        self._last_log: Identity | None = None
        """The same, also after that: other connections may keep it."""
        self._writer: sqlite3.Connection | None = None
        self._changes = 0
        """Rows that the writer's connection has changed up to its last commit."""
        self._has_lost_log = self._must_reopen = False
        self._reported = ""
        for engine in self._engines:
            event.listen(engine, "do_connect", self._connect)
            event.listen(engine.pool, "connect", self._remember_file)
        event.listen(writer.pool, "connect", self._remember_log)
        event.listen(writer.pool, "close", self._forget_log)

    def is_usable(self) -> bool:
        """Whether a transaction may begin: the path names the file that is open. Takes 3 µs."""
        return self._is_there() and self.is_current

    def has_written(self) -> bool:
        """Whether the commit that just ended changed anything. Asked once after each commit."""
        before, self._changes = self._changes, self._writer.total_changes if self._writer else 0
        return self._changes != before

    def is_in_place(self) -> bool:
        """Whether a commit went into the files that the path names. The connection must still be open. Takes 8 µs."""
        if self._log is not None and identity(self._log_path) != self._log:
            self.is_current, self._has_lost_log = False, True
            return False
        return self._is_there()

    def look(self) -> bool:
        """Whether to `reopen`, since the path names another file or has lost its log. Logs what happened, once."""
        found = identity(self._path)
        if self._file is None:
            return False  # nothing is open yet
        if found is None:
            self.is_current = False
            self._report("file_missing", advice="put it back, or stop the server and restore a backup")
            return False
        if found != self._file:
            self._must_reopen = True
            self._report("file_replaced", advice="the server goes on in the new file if it can be used")
        elif self._has_lost_log:
            self._must_reopen = True
            self._report("log_missing", advice="the server moves what it still holds into the file")
        if self._must_reopen:
            self.is_current = False
        elif not self.is_current:
            self.is_current = True  # it was moved away, and back
            self._report("")
        return self._must_reopen

    def reopen(self) -> None:
        """Close every connection, and from now on expect the file that the path names now. In the writer's thread.

        Raises UnusableFile, and still expects the old file.
        """
        new = identity(self._path)
        self._finish_old_log()
        for engine in self._engines:
            engine.dispose()
        if new != self._file:
            self._remove_log()
        why = integrity.find_damage(self._path, CHECK_SECONDS) or self._other_version()
        if new is None or why:
            raise UnusableFile(why)
        self._file = new

    def not_reopened(self, error: Exception) -> None:
        """Work stays refused, and the next `look` says so again."""
        self._report("file_unusable", error=repr(error))

    def reopened(self) -> None:
        """Every part uses the new file: work may go on."""
        self._has_lost_log = self._must_reopen = False
        self.is_current, self._reported = True, ""
        log.warning("database.file_reopened", path=self._path)

    def _is_there(self) -> bool:
        if self._file is not None and identity(self._path) != self._file:
            self.is_current = False
            return False
        return True

    def open(self, timeout: float) -> sqlite3.Connection:
        """A connection of its own, with explicit transactions. Raises sqlite3.OperationalError for another file.

        SQLite would read the old log as a part of a file that was put in its place, and write it into that.
        """
        return self._open_checked({"timeout": timeout, "isolation_level": None})

    def _connect(
        self, _dialect: Dialect, _record: object, _arguments: Sequence[object], options: dict[str, Any]
    ) -> sqlite3.Connection | None:
        """The first connection may create the file."""
        return None if self._file is None else self._open_checked(options)

    def _open_checked(self, options: dict[str, Any]) -> sqlite3.Connection:
        address = sqlite_files.uri(self._path, "rw")
        connection: sqlite3.Connection = sqlite3.connect(address, **{**options, "uri": True})
        if not self._is_there():
            connection.close()
            raise sqlite3.OperationalError("the database file was replaced")
        return connection

    def _remember_file(self, _connection: sqlite3.Connection, _record: object) -> None:
        self._file = self._file or identity(self._path)

    def _remember_log(self, connection: sqlite3.Connection, _record: object) -> None:
        """SQLite keeps the log as long as this connection is open."""
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
        self._log = self._last_log = identity(self._log_path)
        self._writer, self._changes = connection, connection.total_changes

    def _forget_log(self, _connection: sqlite3.Connection, _record: object) -> None:
        """If this was the last connection, SQLite deletes the log, and a new one is no reason to refuse a commit."""
        self._log = self._writer = None

    def _finish_old_log(self) -> None:
        """Move everything into the old file, which may have been renamed."""
        for engine in self._engines:  # the writer's connection may be closed: none is opened on another file
            with contextlib.suppress(Exception):  # it is of no more use to this server
                connection = engine.raw_connection()
                try:
                    connection.rollback()
                    connection.cursor().execute("PRAGMA busy_timeout = 200")
                    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    connection.invalidate()
                return

    def _remove_log(self) -> None:
        """The log of the old file would be read as a part of the new one. Raises UnusableFile for one of another."""
        log_file = Path(self._log_path)
        found = identity(str(log_file))
        if found is None:
            return
        if found != self._last_log and log_file.stat().st_size:
            raise UnusableFile("there is a log beside it that is not of the database before: restart")
        for name in (log_file, Path(sqlite_files.index_of(self._path))):
            name.unlink(missing_ok=True)

    def _other_version(self) -> str | None:
        """Why the tables of the new file are none of this program; the next start would migrate older ones."""
        try:
            with contextlib.closing(sqlite_files.open_to_read(self._path)) as connection:
                versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        except sqlite3.Error as error:
            return str(error)
        head = migrations.newest_version()
        return None if versions == [(head,)] else f"its tables are of version {versions}, not {head}: restart"

    def _report(self, what: str, **fields: object) -> None:
        """Log an event once, until another follows."""
        if what and what != self._reported:
            log.error(f"database.{what}", path=self._path, **fields)
        elif not what:
            log.info("database.file_back", path=self._path)
        self._reported = what
