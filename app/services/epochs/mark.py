"""A mark beside a SQLite file, which shows whether the file was replaced by another one while no server ran.

Copying a backup over the file changes its content and not its mark: the mark then names another epoch, or more changes
than the file has. If the mark was copied as well, with the whole folder, it was not written when it says: no copy
preserves the time at which a file's status changed (`st_ctime`). The mark is written every few seconds: a copy of the
file alone that is younger goes unnoticed, and so does a snapshot of the whole disk.
"""

import asyncio
import contextlib
import json
import time
from pathlib import Path

from sqlalchemy import func, select

from app.core.database import Database, DatabaseUnavailable, UnitOfWork
from app.core.logs import log
from app.models import Room
from app.services.epochs import chain

SUFFIX = ".epoch"
MARK_SECONDS = 5.0
CLOCK_SECONDS = 2.0
"""How far the file system's clock may be from ours."""


class EpochMark:
    """The mark of one database file; of no file (another database, or one in memory) it says nothing."""

    def __init__(self, database: Path | None) -> None:
        self._path = database and database.with_name(database.name + SUFFIX)
        self._written: tuple[str, int] | None = None

    def check(self, db: UnitOfWork) -> str:
        """Compare the file with its mark, and begin a new epoch if it is not the one that was marked last.

        Returns the name of the epoch. To be called before anything is numbered.
        """
        name, changes = state(db)
        is_new = not changes and self._path is not None and not self._path.exists()
        if self._path is None or is_new or self._is_continued_by(name, changes):
            return chain.begin(db)
        return chain.begin(db, after=name)

    def write(self, name: str, changes: int) -> None:
        """Mark the file, unless it is marked so already. Without a mark, the next start begins a new epoch."""
        if self._path is None or self._written == (name, changes):
            return
        draft = self._path.with_name(self._path.name + ".new")
        try:
            draft.write_text(json.dumps({"epoch": name, "changes": changes, "written_at": time.time()}))
            draft.replace(self._path)
            self._written = name, changes
        except OSError as error:
            log.warning("epoch.mark_failed", path=str(self._path), error=repr(error))
            with contextlib.suppress(OSError):
                self._path.unlink()

    async def keep(self, database: Database) -> None:
        """Mark the file every few seconds, until cancelled."""
        while self._path is not None:
            await asyncio.sleep(MARK_SECONDS)
            await self.update(database)

    async def update(self, database: Database) -> None:
        """Mark the file as it is now."""
        if self._path is not None:
            try:
                name, changes = await database.read(state)
            except DatabaseUnavailable:
                return
            await asyncio.to_thread(self.write, name, changes)

    def _is_continued_by(self, name: str, changes: int) -> bool:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            assert self._path is not None
            marked = json.loads(self._path.read_text())
            is_copy = abs(self._path.stat().st_ctime - marked["written_at"]) > CLOCK_SECONDS
            return bool(not is_copy and marked["epoch"] == name and marked["changes"] <= changes)
        return False


def state(db: UnitOfWork) -> tuple[str, int]:
    """The name of the last epoch, and how many changes all rooms have numbered."""
    return chain.name(db), int(db.scalar(select(func.coalesce(func.sum(Room.last_seq), 0))) or 0)
