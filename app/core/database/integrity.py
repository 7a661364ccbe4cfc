"""Checks a SQLite file before it is used: that it is there, and that it is whole."""

import contextlib
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL

from app.core.config import ConfigurationError
from app.core.database import file_lock, sqlite_files
from app.core.files import create_private
from app.core.logs import log

CHECK_SECONDS = 10.0
"""The longest a check may delay a start. 100 MB take 0.3 s from memory and 1.2 s from a cold disk."""
_STEPS = 100_000
"""Instructions of SQLite's virtual machine between two looks at the clock: some milliseconds."""
RESTORE = "restore a backup: python run.py restore FILE"


def check_file(url: URL, may_create: bool) -> None:
    """Check the file of a SQLite database before anything opens it for writing. Raises ConfigurationError.

    A missing file is refused where traces of an earlier one are beside it, unless `may_create`, and created otherwise,
    for this user alone: SQLite gives its log the same mode, and would let all users read both. A file whose last
    server did not close it is searched for damage.
    """
    path = url.database
    if url.get_backend_name() != "sqlite" or path in (None, "", ":memory:"):
        return
    file = Path(path)
    if not file.exists() or not file.stat().st_size:
        found = [] if may_create else traces(file)
        if found:
            raise ConfigurationError(
                f"the database {file} is missing, but {found[0]} beside it tells of an earlier one; {RESTORE}, or "
                "begin with an empty database: python run.py serve --init"
            )
        with contextlib.suppress(OSError):  # it is there already, or SQLite will say why it cannot be
            create_private(file)
    elif was_left_open(file):
        damage = find_damage(path, CHECK_SECONDS)
        if damage:
            raise ConfigurationError(f"the database {file} is damaged ({damage}); {RESTORE}")


def traces(file: Path) -> list[str]:
    """The names of files beside the database that tell of an earlier one: its log, its key, its mark, its copies."""
    if not file.parent.is_dir():
        return []
    key = file.with_suffix(".secret").name
    usual = {
        file.name,
        file_lock.lock_file(file).name,
    }  # the lock of this process is there before the database
    names = sorted(other.name for other in file.parent.iterdir())
    return [name for name in names if name == key or (name.startswith(file.name) and name not in usual)]


def was_left_open(file: Path) -> bool:
    """Whether the last server was killed, or still runs: SQLite deletes the log when its last connection is closed."""
    log_file = Path(sqlite_files.log_of(str(file)))
    return log_file.exists() and log_file.stat().st_size > 0


def find_damage(path: str, seconds: float) -> str | None:
    """What SQLite's `quick_check` says first, or None for a file that is whole as far as was seen in this time.

    The log is read but not moved into the file: if it belongs to another file, that would complete the damage.
    """
    until = time.monotonic() + seconds
    try:
        connection = sqlite_files.open_to_read(path)
    except sqlite3.OperationalError as error:
        return str(error)
    try:
        connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        said: Sequence[str] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            log.warning("database.check_unfinished", path=path, seconds=seconds)
            return None
        return str(error)
    finally:
        connection.close()
    return None if said[0] == "ok" else " ".join(said[0].split())
