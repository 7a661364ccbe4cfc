"""Tells processes that use a SQLite file from the one that replaces it.

Servers and commands share the lock; a restore needs it alone. It is flock(2) on a file beside the database, which the
kernel releases however the process ends. The database itself cannot carry it: a restore replaces that file, and
closing any descriptor of it would drop SQLite's own locks.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.config import ConfigurationError
from app.core.files import PRIVATE, give_to_owner_of

if sys.platform != "win32":
    import fcntl

SQLITE_LOCK_START, SQLITE_LOCK_BYTES = 0x40000000, 512
"""The bytes that SQLite locks (https://sqlite.org/fileformat2.html#the_lock_byte_page)."""


@contextmanager
def shared(path: Path | None) -> Iterator[None]:
    """Use a database file, if it is one, beside other processes.

    Raises ConfigurationError during a restore and after half of one.
    """
    if path is None:
        yield
        return
    with _opened(path) as descriptor:
        if not _lock(descriptor, exclusive=False):
            raise ConfigurationError(f"{path} is being restored; start again when that is done")
        if os.fstat(descriptor).st_size:
            raise ConfigurationError(
                f"a restore of {path} was interrupted; run it again: python run.py restore FILE"
            )
        yield


class Replacing:
    """The only use of a database file. From `begin` to `end` the lock file has a content, and `shared` refuses."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @property
    def unfinished(self) -> str | None:
        """What an interrupted restore passed to `begin`."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.read(self._descriptor, 4096).decode() or None

    def begin(self, note: str) -> None:
        """Keep servers from starting, whatever happens to this process. `note` is for a restore that goes on."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, note.encode())
        os.fsync(self._descriptor)

    def end(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.fsync(self._descriptor)


@contextmanager
def exclusive(path: Path) -> Iterator[Replacing]:
    """Keep every other process of this program away from a database file. Raises ConfigurationError if one uses it."""
    with _opened(path) as descriptor:
        if not _lock(descriptor, exclusive=True):
            raise ConfigurationError(f"{path} is in use; stop the server first")
        yield Replacing(descriptor)


@contextmanager
def sqlite_locked(path: Path) -> Iterator[None]:
    """Hold SQLite's own lock on a file, if it exists. A program that does not know ours, such as a sqlite3 shell, has
    it while the file is open. SQLite is not asked: it would delete the log beside a damaged file.

    This process must have no connection to the file: closing the descriptor would drop its locks. Raises
    ConfigurationError if another program has the file open.
    """
    if sys.platform == "win32" or not path.exists():
        yield
        return
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SQLITE_LOCK_BYTES, SQLITE_LOCK_START)
        except (BlockingIOError, PermissionError):
            raise ConfigurationError(f"another program has {path} open; close it first") from None
        yield


def lock_file(path: Path) -> Path:
    """The file that carries the lock. Names that lead to the same database lead to the same lock."""
    real = path.resolve()
    return real.with_name(f"{real.name}.lock")


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    lock = lock_file(path)
    is_new = not lock.exists()
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, PRIVATE)
        if is_new:
            give_to_owner_of(lock.parent, lock)
    except OSError as error:
        raise ConfigurationError(f"{lock}: {error.strerror}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, exclusive: bool) -> bool:
    """Take the lock if it is free. Windows needs none: it lets no program replace a file that another has open."""
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
