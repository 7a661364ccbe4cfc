"""Whether writes succeed, and what to do once while they do not."""

import contextlib
import shutil
import time
from pathlib import Path

from sqlalchemy import Engine

from app.core.database.failures import is_disk_error, is_failure, is_harmless
from app.core.errors import Unavailable
from app.core.logs import log


class WriteHealth:
    """Told of every write that ended, in whichever thread."""

    def __init__(self, writer: Engine, replace_pool_after: float) -> None:
        """`replace_pool_after` is how many seconds writes may fail until connections are made anew."""
        self._writer = writer
        self._replace_pool_after = replace_pool_after
        self._failing_since: float | None = None
        self._is_disk_reported = False
        self._committed_at: float | None = None

    @property
    def is_failing(self) -> bool:
        return self._failing_since is not None

    def since_commit(self, now: float) -> float | None:
        """Seconds since the last commit; None before the first one. `now` is monotonic."""
        return now - self._committed_at if self._committed_at is not None else None

    def succeeded(self) -> None:
        self._is_disk_reported = False
        self._failing_since = None
        self._committed_at = time.monotonic()

    def failed(self, error: BaseException) -> None:
        self._report_disk(error.__cause__ or error)
        cause = error.__cause__ if isinstance(error, Unavailable) else error
        if cause is not None and is_failure(cause) and not is_harmless(cause):
            self._replace_pool_if_stuck(cause)

    def _replace_pool_if_stuck(self, cause: BaseException) -> None:
        """Drop all idle connections of a pool that could not write for a while, and again as long as that lasts:
        whatever is wrong with them, new ones may be better."""
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        elif now - self._failing_since >= self._replace_pool_after:
            self._failing_since = now
            log.warning("database.pool_replaced", error=repr(cause))
            self._writer.dispose()

    def _report_disk(self, error: BaseException) -> None:
        """Log that the file cannot be written to, once until it can."""
        if not is_disk_error(error) or self._is_disk_reported:
            return
        self._is_disk_reported = True
        path = str(self._writer.url.database)
        free = None
        with contextlib.suppress(OSError):  # the folder may be gone as well
            free = shutil.disk_usage(Path(path).parent).free
        log.error("database.disk_failed", path=path, free_bytes=free, error=repr(error))
