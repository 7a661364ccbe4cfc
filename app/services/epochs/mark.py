"""A mark beside a SQLite file, which shows whether the file was replaced by another one while no server ran.

Copying a backup over the file changes its content and not its mark: the mark then names another epoch, or more changes
than the file has. It is written every few seconds, so a copy that is younger than that goes unnoticed.
"""

import asyncio
import contextlib
import json
from pathlib import Path

from sqlalchemy import func, select

from app.core.database import Database, DatabaseUnavailable, UnitOfWork
from app.core.logs import log
from app.models import Epoch, Room
from app.services.epochs.chain import begin

SUFFIX = ".epoch"
MARK_SECONDS = 5.0


class EpochMark:
    """The mark of one database file; of no file (another database, or one in memory) it says nothing."""

    def __init__(self, database: Path | None) -> None:
        self._path = database and database.with_name(database.name + SUFFIX)
        self._written: tuple[str, int] | None = None

    def check(self, db: UnitOfWork) -> str:
        """Compare the file with its mark, and begin a new epoch if it is not the one that was marked last.

        Returns the name of the epoch.
        """
        name, changes = state(db)
        if self._path is not None and changes and not self._is_continued_by(name, changes):
            return begin(db, after=name)
        return begin(db)

    def write(self, name: str, changes: int) -> None:
        """Mark the file, unless it is marked so already."""
        if self._path is None or self._written == (name, changes):
            return
        draft = self._path.with_name(self._path.name + ".new")
        try:
            draft.write_text(json.dumps({"epoch": name, "changes": changes}))
            draft.replace(self._path)
            self._written = name, changes
        except OSError as error:  # a full disk; without a mark the next start begins a new epoch
            log.warning("epoch.mark_failed", path=str(self._path), error=repr(error))

    async def keep(self, database: Database) -> None:
        """Mark the file every few seconds, until cancelled."""
        while self._path is not None:
            await asyncio.sleep(MARK_SECONDS)
            await self.update(database)

    async def update(self, database: Database) -> None:
        """Mark the file as it is now."""
        if self._path is not None:
            with contextlib.suppress(DatabaseUnavailable):
                self.write(*await database.read(state))

    def _is_continued_by(self, name: str, changes: int) -> bool:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            assert self._path is not None
            marked = json.loads(self._path.read_text())
            return bool(marked["epoch"] == name and marked["changes"] <= changes)
        return False


def state(db: UnitOfWork) -> tuple[str, int]:
    """The name of the last epoch, and how many changes all rooms have numbered."""
    name = select(Epoch.name).order_by(Epoch.number.desc()).limit(1)
    return db.scalars(name).one(), int(db.scalar(select(func.coalesce(func.sum(Room.last_seq), 0))) or 0)
