"""The files of a SQLite database: which file a path names, and addresses that never create one."""

import os
import sqlite3
from pathlib import Path

Identity = tuple[int, int]
"""Device and inode."""


def identity(path: str) -> Identity | None:
    """The file that the path names; None if it names none, or one that cannot be reached. Takes 2 µs."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for every commit takes as long as the question
    except OSError:
        return None
    return found.st_dev, found.st_ino


def log_of(path: str) -> str:
    """The write-ahead log, which is a part of the database: without it the newest commits are missing."""
    return f"{path}-wal"


def index_of(path: str) -> str:
    """The index of the write-ahead log, in memory that processes share."""
    return f"{path}-shm"


def open_to_read(path: str) -> sqlite3.Connection:
    """A connection that never creates the file, and moves nothing from the log into it, not even when it is closed.

    Raises sqlite3.OperationalError.
    """
    return sqlite3.connect(uri(path, "ro"), uri=True)


def uri(path: str, mode: str) -> str:
    """SQLite's own form of address. `rw` and `ro` never create a file."""
    return f"{Path(path).absolute().as_uri()}?mode={mode}"
