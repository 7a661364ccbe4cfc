"""A transaction, and what has to follow its commit."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session, SessionTransaction

from app.core.database.failures import is_failure, is_harmless
from app.core.database.jobs import current_job
from app.core.errors import Unavailable
from app.core.logs import log


class UnitOfWork(Session):
    """One transaction. What it announces is published after its commit; a rollback drops it.

    Services get one and never commit it.
    """

    def __init__(self, bind: Engine | Connection, **options: Any) -> None:
        super().__init__(bind, expire_on_commit=False, **options)
        self.announcements: list[Any] = []
        """For `Database.on_commit`, in the order they were made."""
        self.erases = False
        """Whether it deletes text, which then has to disappear from the files of the database too."""

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Give the connection back at the end, whatever happened, and never let that change what happened.

        A connection that failed is closed instead: its ROLLBACK would fail too, and the pool would lose its place.
        """
        try:
            yield
        except BaseException as error:
            has_failed = is_failure(error) and not is_harmless(error)
            self._end(invalidate=has_failed or (isinstance(error, Unavailable) and _is_of_database(error)))
            raise
        self._end(invalidate=False)

    def _end(self, *, invalidate: bool) -> None:
        ending = self.get_transaction()
        try:
            self.invalidate() if invalidate else self.close()
        except Exception as error:  # noqa: BLE001 - drivers raise what they like here
            log.warning("database.connection_dropped", error=repr(error))
            if ending is not None:
                _drop_connections(ending)


def _is_of_database(error: Unavailable) -> bool:
    """Whether the connection failed or was cut, and not the work itself that asked to try again."""
    job = current_job()
    return error.__cause__ is not None or (job is not None and job.is_over)


def _drop_connections(of: SessionTransaction) -> None:
    """Close what a session has let go of without giving it back, since its ROLLBACK failed."""
    for connection, *_ in set(of._connections.values()):
        with contextlib.suppress(Exception):
            connection.invalidate()
        with contextlib.suppress(Exception):
            connection.close()
