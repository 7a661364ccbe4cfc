"""Whether the database answers and has our tables, and whether this server should get new clients."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select, text

from app.core.config import Settings
from app.core.database import Database, DatabaseUnavailable, UnitOfWork, Unknown
from app.core.database.status import Status
from app.core.errors import Unavailable
from app.core.logs import log
from app.models import Room

PROBE_SECONDS = 3.0
"""How long the result of a probe is used, and for clients when to ask again: probes cost the same however many ask."""
PROBE_TIMEOUT_SECONDS = 3.0
MAX_WAIT_SECONDS = 5.0
"""Longer than a job may wait for a thread: see `core.database.deadlines`, which ends it soon after."""
MIN_FREE_BYTES = 32 << 20
"""Twice the write-ahead log between two checkpoints: see `engines.WRITER_PRAGMAS`."""

READ_ONLY = {
    "postgresql": "SELECT current_setting('transaction_read_only') = 'on'",
    "mysql": "SELECT @@read_only",
    "mariadb": "SELECT @@read_only",
}


class NotReady(Unavailable):
    """This server should get no new clients now."""

    retry_after = PROBE_SECONDS


class NothingStored(Exception):
    """A probe got as far as the first write and ended its transaction, which does not count as a commit."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a load balancer and an operator want to know of this process."""

    status: Status
    free_bytes: int | None
    """Of the disk with the SQLite file."""
    is_writable: bool
    is_draining: bool

    def reasons(self) -> Iterator[str]:
        """Why there should be no new clients, as sentences."""
        if self.is_draining:
            yield "The server is stopping."
        if not self.is_writable:
            yield "The database cannot be written to."
        if self.status.oldest_job > MAX_WAIT_SECONDS:
            yield f"The oldest job has waited for {self.status.oldest_job:.0f} s."
        if self.free_bytes is not None and self.free_bytes < MIN_FREE_BYTES:
            yield f"The disk has {self.free_bytes} bytes left."


class ReadinessProbe:
    """Asks at most once in PROBE_SECONDS, and once at a time, whether the database can be written to."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._path = settings.database_file
        self._database = database
        self._probe: asyncio.Task[bool] | None = None
        self._probed_at = 0.0
        self._free_bytes: int | None = None
        self._was_ready = True

    async def check(self, *, is_draining: bool) -> Readiness:
        """Raises NotReady, with the reasons."""
        is_writable = is_draining or await self._is_writable()
        readiness = Readiness(self._database.status(), self._free_bytes, is_writable, is_draining)
        reasons = " ".join(readiness.reasons())
        self._log(reasons)
        if reasons:
            raise NotReady(reasons)
        return readiness

    async def _is_writable(self) -> bool:
        is_due = time.monotonic() - self._probed_at >= PROBE_SECONDS
        if self._probe is None or (self._probe.done() and is_due):
            self._probed_at = time.monotonic()
            self._probe = asyncio.create_task(self._ask())
        done, _ = await asyncio.wait([self._probe], timeout=PROBE_TIMEOUT_SECONDS)
        return bool(done) and self._probe.result()

    async def _ask(self) -> bool:
        try:
            if self._path is not None:  # in a thread: a network disk may hang
                await asyncio.to_thread(self._path.stat)
                usage = await asyncio.to_thread(shutil.disk_usage, self._path.parent)
                self._free_bytes = usage.free
            await self._database.write(probe, store=self._database.status().is_failing)
        except NothingStored:
            return True
        except (OSError, DatabaseUnavailable, Unknown):
            return False
        return True

    def _log(self, reasons: str) -> None:
        """Log changes only: probes come every few seconds."""
        if reasons and self._was_ready:
            log.warning("health.not_ready", reasons=reasons)
        elif not reasons and not self._was_ready:
            log.info("health.ready")
        self._was_ready = not reasons


def check(db: UnitOfWork) -> None:
    """Read one row. Raises what the database driver raises."""
    db.execute(select(Room.id).limit(1)).all()


def probe(db: UnitOfWork, *, store: bool) -> None:
    """Get as far as the first write. `store` also commits what is there already: only a commit finds a full disk.

    Raises NothingStored if all is well, DatabaseUnavailable for a replica, and what the database driver raises.
    """
    connection = db.connection()  # on SQLite, takes the lock of writers
    query = READ_ONLY.get(connection.dialect.name)
    if query is not None and db.scalar(text(query)):
        raise DatabaseUnavailable
    if not store:
        raise NothingStored
    if query is None:
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")
