"""Work at the start that may take minutes, such as a migration: no deadline ends it, but silence does."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from math import inf

from sqlalchemy import Engine

from app.core.config import ConfigurationError
from app.core.database.deadlines import Deadlines
from app.core.database.engines import TIMEOUTS
from app.core.database.failures import DatabaseUnavailable
from app.core.database.jobs import Job

PING_SECONDS = 3.0
SILENT_SECONDS = 15.0
"""A database that answers no ping for this long is given up. Each ping takes up to 3 s."""
_UNTIL_SILENCE = Deadlines(begin=inf, run=inf)


async def unless_silent(engine: Engine, work: Callable[[], None]) -> None:
    """Run `work` in a thread for as long as the database answers new connections. Raises what it raises, and
    ConfigurationError if the database is silent: the connection that the work uses is shut down then."""
    job = Job(_UNTIL_SILENCE, time.monotonic(), work)
    threading.Thread(target=job.run, name="db-prepare", daemon=True).start()
    heard_at = time.monotonic()
    while not (await asyncio.wait({job.answer}, timeout=PING_SECONDS))[0]:
        if await asyncio.to_thread(answers, engine):
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > SILENT_SECONDS:
            job.end()
    try:
        await job.answer
    except DatabaseUnavailable:
        shown = engine.url.render_as_string(hide_password=True)
        raise ConfigurationError(
            f"the database stopped answering during the start ({shown}); start again once it does"
        ) from None


def answers(engine: Engine) -> bool:
    """Whether a new connection is answered, if only by a refusal. Takes some seconds at most."""
    dialect = engine.dialect
    if dialect.name == "sqlite":
        return True
    positional, named = dialect.create_connect_args(engine.url)
    try:
        connection = dialect.connect(*positional, **{**TIMEOUTS.get(engine.url.drivername, {}), **named})
    except dialect.loaded_dbapi.Error as error:
        return "FATAL" in str(error) or _is_from_mysql(error)
    with contextlib.suppress(dialect.loaded_dbapi.Error, OSError):
        connection.close()
    return True


def _is_from_mysql(error: BaseException) -> bool:
    """Whether the number is one of the server: those of a client begin at 2000."""
    number = next(iter(error.args), None)
    return isinstance(number, int) and number < 2000
