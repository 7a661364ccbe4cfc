"""A backup of a SQLite database, made while the server runs."""

import os
import shlex
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from app.core.config import ConfigurationError, Settings
from app.core.database import file_lock
from app.core.files import create_private, sync, sync_names
from app.operator import sqlite_file
from app.operator.sqlite_file import SIDE_FILES, Progress, Step, beside

SYNC_PAGES = 2048
"""Pages of 4 kB between two syncs. With 57,000 pages at once, a message waited 830 ms."""


def database_file(settings: Settings, otherwise: str) -> Path:
    """The file of the database, without symbolic links.

    Raises ConfigurationError, with the advice `otherwise` for a database server.
    """
    path = settings.database_file
    if path is None and settings.url.get_backend_name() == "sqlite":
        raise ConfigurationError("this database is in memory and ends with its server")
    if path is None:
        raise ConfigurationError(f"this is a database server with tools of its own; {otherwise}")
    return path.resolve()


def backup(settings: Settings, target: Path, step: Step, *, overwrite: bool) -> int:
    """Copy the database to `target`, mode 0600, which appears only once it is complete, checked and on the disk.

    Returns its size in bytes. Raises ConfigurationError and OSError.
    """
    source = database_file(settings, f"run:  {dump_command(settings.url, target)}")
    if target.exists() and not overwrite:
        raise ConfigurationError(f"{target} exists; choose another name, or overwrite it with --force")
    if target.exists() and target.samefile(source):
        raise ConfigurationError(f"{target} is the database itself")
    draft = beside(target, f".{os.getpid()}.part")
    with file_lock.shared(source), sqlite_file.opened(source) as connection:
        check_space(target.parent, sqlite_file.size(connection))
        create_private(draft)
        try:
            _fill(draft, connection, step)
            os.replace(draft, target)  # noqa: PTH105 - Path.replace returns what is not needed
        finally:
            for ending in ("", *SIDE_FILES):
                beside(draft, ending).unlink(missing_ok=True)
    sync_names(target.parent)
    return target.stat().st_size


def check_space(folder: Path, needed: int) -> None:
    """Raise ConfigurationError if the disk has less than `needed` bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ConfigurationError(f"{folder} has {megabytes(free)} free, and {megabytes(needed)} are needed")


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def dump_command(url: URL, target: Path) -> str:
    """The command that backs up a database server."""
    if url.get_backend_name() == "postgresql":
        query = {name: value for name, value in url.query.items() if name != "password"}
        address = URL.create(
            "postgresql", url.username, None, url.host, url.port, url.database, query
        ).render_as_string()
        return shlex.join(["pg_dump", "--format=custom", f"--file={target}", address])
    options = {"host": url.host, "port": url.port, "user": url.username}
    return shlex.join(
        [
            "mariadb-dump",
            "--single-transaction",
            f"--result-file={target}",
            *(f"--{name}={value}" for name, value in options.items() if value),
            *(["--password"] if url.password else []),
            str(url.database),
        ]
    )


def _fill(draft: Path, source: sqlite3.Connection, step: Step) -> None:
    with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # the whole file is synced below
        sqlite_file.copy_pages(source, copy, _synced(draft, step("Copying")))
        step("Checking")
        sqlite_file.into_one_file(copy)
        damage = sqlite_file.check(copy)
    if damage:
        raise ConfigurationError(f"the copy is damaged, and so is the database: {damage}")
    sync(draft)


def _synced(draft: Path, progress: Progress) -> Progress:
    """Write to the disk as the copy goes on: one sync of the whole file would hold up the commits of the server."""
    synced = 0

    def synced_progress(done: int, total: int) -> None:
        nonlocal synced
        if done - synced >= SYNC_PAGES:
            sync(draft)
            synced = done
        progress(done, total)

    return synced_progress
