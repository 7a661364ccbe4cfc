"""A process that prepares a database, as the server does at its start, and is killed in the middle."""

import itertools
import multiprocessing
import os

from sqlalchemy import event

from app.core.config import Settings
from app.core.database import migrations
from app.runtime import build_runtime

KILLED = 9
QUESTIONS = ("SELECT", "SHOW", "PRAGMA", "DESCRIBE")
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


def killed_after(statement: int, database_url: str, *, with_samples: bool) -> bool:
    """Prepare this database in another process, which exits without a goodbye after its k-th statement that is no
    question. False if it was finished before."""
    process = _processes.Process(target=_prepare, args=(statement, database_url, with_samples))
    process.start()
    process.join(60)
    assert process.exitcode in {0, KILLED}
    return process.exitcode == KILLED


def _prepare(statement: int, database_url: str, with_samples: bool) -> None:
    settings = Settings(_env_file=None, database_url=database_url, log_level="error")
    runtime = build_runtime(settings, "k" * 48)
    numbers = itertools.count(1)

    def count(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        if not sql.lstrip().startswith(QUESTIONS) and next(numbers) == statement:
            os._exit(KILLED)

    event.listen(runtime.database.writer, "after_cursor_execute", count)
    if with_samples:
        runtime.prepare()
    else:
        migrations.upgrade(runtime.database.writer, lambda connection: None)
    os._exit(0)
