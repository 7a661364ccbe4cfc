"""Rooms whose rows another transaction holds: their drafts wait apart, and delay no other room."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

from sqlalchemy.exc import IntegrityError

from app.core.batching import Batcher
from app.core.database import Database, DatabaseUnavailable, Unknown
from app.core.errors import AppError
from app.core.logs import log
from app.services.ledger.numbering import Draft, Posted, record

DraftBatcher: TypeAlias = Batcher[Draft, Posted | AppError]
Write = Callable[..., Awaitable[list[Posted | AppError]]]
"""`Database.write`, or the same in the turn of a room."""


class LockedRoom:
    """The drafts of one room, in their order, in transactions that wait for its row as long as a lock may take."""

    def __init__(self, database: Database, room_id: int) -> None:
        self._write_in_turn = partial(database.write_in_turn, room_id)
        self._is_stuck = True
        self.batcher: DraftBatcher = Batcher(self._write, may_retry, database.deadlines.begin)

    @property
    def is_free(self) -> bool:
        """Whether the lock is gone and no draft waits here, so that the next one may go with all others."""
        return self.batcher.is_idle and not self._is_stuck

    async def _write(self, drafts: Sequence[Draft]) -> Sequence[Posted | AppError]:
        self._is_stuck = True
        outcomes = await write_once(self._write_in_turn, drafts, waits=True)
        self._is_stuck = False
        return outcomes


async def write_once(
    write: Write, drafts: Sequence[Draft], *, waits: bool = False
) -> Sequence[Posted | AppError]:
    """Store drafts, none of them twice. Retries are rare, so originals are looked for only once the database reports a
    duplicate key, or does not report at all."""
    try:
        try:
            return await write(record, drafts, waits=waits)
        except IntegrityError:
            return await write(record, drafts, waits=waits, may_be_retries=True)
    except Unknown:
        return await _write_again(write, drafts)


async def _write_again(write: Write, drafts: Sequence[Draft]) -> list[Posted | AppError]:
    """After a COMMIT without an answer: drafts that can be recognised may go again; those of the others stay unknown,
    and all of them do if that fails too."""
    known = [draft for draft in drafts if draft.client_id is not None]
    outcomes: list[Posted | AppError] = []
    try:
        if known:
            outcomes = await write(record, known, waits=True, may_be_retries=True)
    except (DatabaseUnavailable, Unknown):
        pass
    except Exception:  # noqa: BLE001 - whatever it was, the first attempt may have been stored
        log.exception("retry.failed")
    found = iter(outcomes)
    return [next(found, Unknown()) if draft.client_id is not None else Unknown() for draft in drafts]


def may_retry(_draft: Draft, error: Exception) -> bool:
    """Whether a draft may go again alone: nothing was stored, and the database is there."""
    return not isinstance(error, DatabaseUnavailable)
