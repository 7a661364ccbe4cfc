"""Checks before the server starts. Each failure is one sentence for the operator instead of a traceback."""

import errno
import socket
import sqlite3

from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from app.core.config import ConfigurationError, Settings
from app.core.database.deadlines import Deadlines
from app.core.database.engines import open_engines
from app.core.database.failures import is_failure
from app.core.database.integrity import RESTORE, check_file
from app.core.database.migrations import StillMigrating
from app.core.errors import AppError
from app.core.logs import log

_DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


def check_database(url: URL, may_create: bool = True) -> None:
    """Check that the database can be written to, and that a SQLite file is there and whole. Raises ConfigurationError.

    Creates a SQLite file that is missing, if `may_create` or if nothing beside it tells of an earlier one.
    """
    check_file(url, may_create)
    shown = url.render_as_string(hide_password=True)
    engines = open_engines(url, 1, Deadlines())
    try:
        with engines.writer.connect():
            pass  # on SQLite this begins a transaction that writes, which fails for a read-only file too
    except TypeError as error:  # a driver's function without such an argument
        raise ConfigurationError(f"DATABASE_URL: {error}") from None
    except Exception as error:
        if not is_failure(error):
            raise
        reason = what_it_says(error)
        if getattr(_cause(error), "sqlite_errorcode", 0) in _DAMAGED:
            raise ConfigurationError(f"the database is damaged ({shown}): {reason}; {RESTORE}") from None
        raise ConfigurationError(f"the database does not answer ({shown}): {reason}") from None
    finally:
        engines.writer.dispose()
        engines.reader.dispose()


def cannot_listen(settings: Settings, error: OSError) -> ConfigurationError:
    """The reason why the server cannot listen on its address."""
    address = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(f"{address} is in use by another program; choose a port with PORT=9000")
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return ConfigurationError(f"HOST={settings.host} is not an address of this machine")
    return ConfigurationError(f"{address}: {error.strerror or error}")


def reasons(error: BaseException) -> list[str]:
    """Why the server cannot start, each in one line without secrets. A defect of the program itself is named, and its
    traceback is logged at LOG_LEVEL=debug."""
    match error:
        case ValidationError():
            return [_of_setting(wrong["loc"], wrong["msg"]) for wrong in error.errors(include_input=False)]
        case ConfigurationError() | StillMigrating() | AppError():
            return [_one_line(error)]
        case ModuleNotFoundError():
            return [f"{error.name} is not installed. Run:  pip install -r requirements.txt"]
        case OSError():
            place = f"{error.filename}: " if error.filename else ""
            return [f"{place}{error.strerror or _one_line(error)}"]
        case CommandError():
            return [f"the tables of the database cannot be brought up to date: {_one_line(error)}"]
        case _:
            return [_of_database(error) or _of_defect(error)]


def _of_database(error: BaseException) -> str | None:
    is_its_own = is_failure(error) or isinstance(error, SQLAlchemyError)
    return f"the database says: {what_it_says(error)}" if is_its_own else None


def _of_defect(error: BaseException) -> str:
    log.debug("start.failed", exc_info=error)
    return f"{type(error).__name__}: {_one_line(error)} (LOG_LEVEL=debug shows where)"


def what_it_says(error: BaseException) -> str:
    """The words of the driver in one line: without the statement and its parameters, which SQLAlchemy adds."""
    return _one_line(_cause(error))


def _of_setting(place: tuple[str | int, ...], message: str) -> str:
    sentence = message.removeprefix("Value error, ")
    name = "_".join(str(part) for part in place).upper()
    return f"{name}: {sentence}" if name else sentence


def _cause(error: BaseException) -> BaseException:
    return getattr(error, "orig", None) or error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
