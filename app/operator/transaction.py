"""One transaction of a command, beside a server that may run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from app.core.config import ConfigurationError, get_settings
from app.core.database import Database, UnitOfWork, file_lock
from app.operator import schema

P = ParamSpec("P")
T = TypeVar("T")


def run_in_database(work: Callable[Concatenate[UnitOfWork, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one transaction in the database of the settings."""
    with _database() as database:
        result, _ = database.transact(work, *args, **kwargs)
    return result


@contextmanager
def _database() -> Iterator[Database]:
    """The database, if its tables are up to date. Raises ConfigurationError."""
    settings = get_settings()
    path = settings.database_file
    if path is not None and not path.is_file():
        raise ConfigurationError(f"{path} is not there; start the server once, which creates it")
    with file_lock.shared(path):
        database = Database(settings.url, pool_size=1)
        try:
            with database.writer.connect() as connection:
                found = schema.of_database(connection)
            if not schema.is_current(found):
                raise ConfigurationError("the tables are not those of this version; start the server once")
            yield database
        finally:
            database.close()
