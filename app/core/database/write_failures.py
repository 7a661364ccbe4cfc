"""What is done about writes that fail: a line in the log for a full disk, and a new pool if it lasts."""

import contextlib
import shutil
import time
from pathlib import Path

from sqlalchemy import Engine

from app.core.database.failures import is_disk_error, is_failure, is_harmless
from app.core.errors import Unavailable
from app.core.logs import log


class WriteFailures:
    """Follows the writes of one engine, in whichever threads they run."""

    def __init__(self, writer: Engine, patience: float) -> None:
        """The pool is replaced after `patience` seconds without a successful write."""
        self._writer = writer
        self._patience = patience
        self._since: float | None = None
        self._is_disk_reported = False

    @property
    def are_lasting(self) -> bool:
        """Whether the last write failed for a reason of the database."""
        return self._since is not None

    def end(self) -> None:
        """A write succeeded."""
        self._since = None
        self._is_disk_reported = False

    def note(self, error: Exception) -> None:
        """A write failed; called after its last attempt."""
        cause = error.__cause__ if isinstance(error, Unavailable) else error
        if cause is None:
            return
        if is_disk_error(cause):
            self._report_disk(cause)
        if is_failure(cause) and not is_harmless(cause):
            self._replace_pool_if_stuck(cause)

    def _replace_pool_if_stuck(self, cause: BaseException) -> None:
        """Drop all idle connections of a pool that could not write for a while, and again as long as that lasts:
        whatever is wrong with them, new ones may be better."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        elif now - self._since >= self._patience:
            self._since = now
            log.warning("database.pool_replaced", error=repr(cause))
            self._writer.dispose()

    def _report_disk(self, cause: BaseException) -> None:
        """Log that the file cannot be written to, once until it can."""
        if self._is_disk_reported:
            return
        self._is_disk_reported = True
        path = str(self._writer.url.database)
        free = None
        with contextlib.suppress(OSError):  # the folder may be gone as well
            free = shutil.disk_usage(Path(path).parent).free
        log.error("database.disk_failed", path=path, free_bytes=free, error=repr(cause))
