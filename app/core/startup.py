"""Checks before the server starts. Each failure is one sentence for the operator instead of a traceback."""

import difflib
import errno
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pydantic_settings import DotEnvSettingsSource
from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from app.core.config import DRIVERS, ConfigurationError, Settings
from app.core.database.engines import TIMEOUTS
from app.core.database.integrity import RESTORE, check_file


def check_database(url: URL, may_create: bool = True) -> None:
    """Check that the database can be written to, and that a SQLite file is there and whole. Raises ConfigurationError.

    Creates a SQLite file that is missing, if `may_create` or if nothing beside it tells of an earlier one.
    """
    check_file(url, may_create)
    shown = url.render_as_string(hide_password=True)
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=TIMEOUTS.get(url.drivername, {}))
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")  # a new file is not empty any more
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails for a read-only file too
    except (NoSuchModuleError, ModuleNotFoundError):
        known = ", ".join(["sqlite", *DRIVERS])
        raise ConfigurationError(
            f"DATABASE_URL: unknown database driver {url.drivername}: use one of {known}"
        ) from None
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        if getattr(error.orig, "sqlite_errorcode", 0) in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
            raise ConfigurationError(f"the database is damaged ({shown}): {reason}; {RESTORE}") from None
        raise ConfigurationError(f"the database does not answer ({shown}): {reason}") from None


def cannot_listen(settings: Settings, error: OSError) -> ConfigurationError:
    """The reason why the server cannot listen on its address."""
    address = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(f"{address} is in use by another program; choose a port with PORT=9000")
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return ConfigurationError(f"HOST={settings.host} is not an address of this machine")
    return ConfigurationError(f"{address}: {error.strerror or error}")


def misspelt(env_file: Path) -> Iterator[tuple[str, str]]:
    """Unknown names in the file, each with the setting it resembles. Other names may belong to other programs."""
    known = list(Settings.model_fields)
    for name in DotEnvSettingsSource(Settings, env_file=env_file).env_vars:
        if name not in known:
            for meant in difflib.get_close_matches(name, known, n=1, cutoff=0.8):
                yield name.upper(), meant.upper()
