"""What has to be right before the server starts, a sentence for each: nobody should have to read a traceback for it."""

import difflib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from pydantic_settings import DotEnvSettingsSource
from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from app.core.config import DRIVERS, ConfigurationError, Settings
from app.core.database.engines import TIMEOUTS


def check_database(url: URL) -> None:
    """Raises ConfigurationError unless there is a database that can be written to."""
    shown = url.render_as_string(hide_password=True)
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=TIMEOUTS.get(url.drivername, {}))
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails also for a file that cannot be written
    except (NoSuchModuleError, ModuleNotFoundError):
        known = ", ".join(["sqlite", *DRIVERS])
        raise ConfigurationError(f"DATABASE_URL: {url.drivername} is none of {known}") from None
    except DBAPIError as error:
        why = " ".join(str(error.orig).split())
        raise ConfigurationError(f"the database does not answer ({shown}): {why}") from None


def cannot_listen(settings: Settings, error: OSError) -> ConfigurationError:
    """Why the address cannot be had."""
    address = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(f"{address} is taken by another program; choose another with PORT=9000")
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return ConfigurationError(f"HOST={settings.host} is no address of this machine")
    return ConfigurationError(f"{address}: {error.strerror or error}")


def misspelt(env_file: Path) -> Iterator[tuple[str, str]]:
    """Names in the file that are no setting but look like one, and which. Others may be there for other programs."""
    known = list(Settings.model_fields)
    for name in DotEnvSettingsSource(Settings, env_file=env_file).env_vars:
        if name not in known:
            for meant in difflib.get_close_matches(name, known, n=1, cutoff=0.8):
                yield name.upper(), meant.upper()
