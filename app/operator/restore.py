"""Puts a backup in the place of a SQLite database.

Everything that can fail is done to a copy beside the database: checked, migrated, given a new epoch, logins ended. Only
then are the files exchanged, in an order in which no crash lets SQLite replay an old write-ahead log over new pages.
From the first rename to the last, the lock file keeps every server from starting; running the restore again completes
it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from app.core.config import ConfigurationError, Settings
from app.core.database import Database, UnitOfWork, file_lock, migrations
from app.core.files import create_private, give_to_owner_of, sync, sync_names
from app.operator import schema, sqlite_file
from app.operator.backup import check_space, database_file
from app.operator.sqlite_file import SIDE_FILES, Progress, Step, beside
from app.services import epochs, sessions

CHUNK = 1 << 20
RESTORE_ADVICE = (
    "restore it with pg_restore or mariadb, then run:  python run.py epoch --new  "
    "and  python run.py users close-sessions --all"
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore has done."""

    kept: Path | None
    """The database of before; None if there was none, or it was not to be kept."""
    ended_sessions: int


def restore(
    settings: Settings, source: Path, step: Step, *, keep_logins: bool = False, keep_old: bool = True
) -> Restored:
    """Replace the database with the backup. Raises ConfigurationError and OSError, and then nothing has changed."""
    path = database_file(settings, RESTORE_ADVICE)
    if path.exists() and source.exists() and source.samefile(path):
        raise ConfigurationError(f"{source} is the database itself")
    draft = beside(path, ".restoring")
    with file_lock.exclusive(path) as replacing, file_lock.sqlite_locked(path), _unused(source):
        _remove(draft)
        try:
            _copy(source, draft, step("Copying"))
            step("Checking")
            _check_backup(draft, source)
            step("Migrating")
            ended = _prepare(settings.url, draft, keep_logins=keep_logins)
            kept = _exchange(path, draft, replacing)
        finally:
            _remove(draft)
        if kept and not keep_old:
            _remove(kept)
            kept = None
    return Restored(kept, ended)


@contextmanager
def _unused(source: Path) -> Iterator[None]:
    """Refuse a backup that is itself the database of a running server: a copy of it would be torn."""
    if not source.is_file():
        raise ConfigurationError(f"{source} is not there")
    if not file_lock.lock_file(source).exists():
        yield
        return
    with file_lock.exclusive(source.resolve()):
        yield


def _copy(source: Path, draft: Path, progress: Progress) -> None:
    """Copy the backup, and the log that belongs to it if it was taken as a set of files from a stopped server."""
    files = [(source, draft)]
    log = beside(source, "-wal")
    if log.exists():
        files.append((log, beside(draft, "-wal")))
    total = sum(file.stat().st_size for file, _ in files)
    check_space(draft.parent, total)
    done = 0
    for file, copy in files:
        create_private(copy)
        with file.open("rb") as reading, copy.open("r+b") as writing:
            while chunk := reading.read(CHUNK):
                writing.write(chunk)
                done += len(chunk)
                progress(done, total)


def _check_backup(draft: Path, source: Path) -> None:
    """Raise ConfigurationError for a file that is damaged, of another program, or newer than this program."""
    try:
        with sqlite_file.opened(draft) as connection:
            sqlite_file.into_one_file(connection)
            damage = sqlite_file.check(connection)
            foreign = None if damage else schema.why_foreign(schema.of_file(connection))
    except ConfigurationError:
        raise ConfigurationError(f"{source} is not a SQLite database, or is damaged") from None
    if damage:
        raise ConfigurationError(f"{source} is damaged: {damage}")
    if foreign:
        raise ConfigurationError(f"{source} {foreign}")


def _prepare(url: URL, draft: Path, *, keep_logins: bool) -> int:
    """Make of the copy what is to be served. Returns how many logins have ended."""
    database = Database(url.set(database=str(draft)), pool_size=1)
    try:
        migrations.upgrade(database.writer, lambda _: None)
        ended, _ = database.transact(_begin_anew, keep_logins=keep_logins)
    except DBAPIError as error:
        raise ConfigurationError(f"the backup cannot be brought up to date: {error.orig}") from None
    finally:
        database.close()
    with sqlite_file.opened(draft) as connection:
        sqlite_file.into_one_file(connection)
    sync(draft)
    return ended


def _begin_anew(db: UnitOfWork, *, keep_logins: bool) -> int:
    """Begin an epoch, so that no number of the backup passes for one that was given out after it.

    Logins that were ended after the backup would be open again, so all end.
    """
    epochs.begin(db, after=epochs.name(db))
    return 0 if keep_logins else sessions.revoke_all(db)


def _exchange(path: Path, draft: Path, replacing: file_lock.Replacing) -> Path | None:
    """Move the old database away together with its log, and only then the new one into its place.

    Goes on where an interrupted restore stopped: what that one moved away is the old database.
    """
    kept = path.with_name(replacing.unfinished or _kept_name(path))
    if path.exists():
        give_to_owner_of(path, draft)
    sync_names(path.parent)
    replacing.begin(kept.name)
    try:
        _move_away(path, kept)
        os.replace(draft, path)  # noqa: PTH105 - Path.replace returns what is not needed
    except OSError:
        if not kept.exists():
            replacing.end()  # nothing was moved
        raise
    sync_names(path.parent)
    replacing.end()
    return kept if kept.exists() else None


def _move_away(path: Path, kept: Path) -> None:
    if path.exists() and not kept.exists():
        os.rename(path, kept)  # noqa: PTH104 - Path.rename returns what is not needed
    for ending in ("-wal", "-journal"):
        old, new = beside(path, ending), beside(kept, ending)
        if old.exists() and kept.exists():
            os.rename(old, new)  # noqa: PTH104
        else:
            old.unlink(missing_ok=True)  # of a database that was deleted before
    beside(path, "-shm").unlink(missing_ok=True)
    sync_names(path.parent)


def _kept_name(path: Path) -> str:
    """The name of the database of before: with the time in UTC, and with a number for the second one of a second."""
    name = f"{path.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    number, unique = 1, name
    while path.with_name(unique).exists():
        number += 1
        unique = f"{name}-{number}"
    return unique


def _remove(path: Path) -> None:
    for ending in ("", *SIDE_FILES):
        beside(path, ending).unlink(missing_ok=True)
