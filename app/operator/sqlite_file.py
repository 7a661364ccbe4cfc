"""A SQLite file as a whole: opened without creating it, copied page by page, checked."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.core.config import ConfigurationError

PAGES = 256
"""Pages of 4 kB that are copied at a time: some 5 ms, after which the progress is shown."""
BUSY_SECONDS = 10.0
SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database that is, or was, in use."""

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""
Step = Callable[[str], Progress]
"""Begins a step of the work with this title."""


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection in autocommit mode. Raises ConfigurationError if the file is missing or no database."""
    if not path.is_file():
        raise ConfigurationError(f"{path} is not there")
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", timeout=BUSY_SECONDS, uri=True)
        ) as connection:
            connection.isolation_level = None
            yield connection
    except sqlite3.DatabaseError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def copy_pages(source: sqlite3.Connection, target: sqlite3.Connection, progress: Progress) -> None:
    """Copy one snapshot of the source while other processes write to it.

    Without the open transaction, the copy would begin anew at every commit of another process, and never end beside a
    busy server.
    """
    source.execute("BEGIN")
    source.execute("SELECT 1 FROM sqlite_schema").fetchone()
    try:
        source.backup(
            target, pages=PAGES, progress=lambda _, remaining, total: progress(total - remaining, total)
        )
    finally:
        source.execute("ROLLBACK")


def check(connection: sqlite3.Connection) -> str | None:
    """What `PRAGMA quick_check` finds first; None if the database is sound."""
    try:
        found: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:  # too damaged for the check
        return str(error)
    return None if found == "ok" else " ".join(found.split())


def into_one_file(connection: sqlite3.Connection) -> None:
    """Fold the write-ahead log into the file. A server turns the log on again."""
    mode: str = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
    if mode != "delete":
        raise sqlite3.OperationalError("the write-ahead log cannot be folded in")


def size(connection: sqlite3.Connection) -> int:
    """Bytes of the database."""
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    page_size: int = connection.execute("PRAGMA page_size").fetchone()[0]
    return pages * page_size


def beside(path: Path, ending: str) -> Path:
    """The file with this ending after the whole name, as SQLite names its own."""
    return path.with_name(path.name + ending)
