"""The database knows whether a write is in progress, so that a burst of clients can wait for it."""

import asyncio
from types import SimpleNamespace

import pytest

from app.core.database import Database, UnitOfWork
from app.core.database import database as module
from tests.units.held_write import HeldWrite


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction does not count as stalled only because this machine is slow."""
    monkeypatch.setattr(module, "STALLED_SECONDS", 60.0)


@pytest.mark.usefixtures("slow_machine")
async def test_it_is_writing_from_the_first_transaction_to_the_last(database: Database) -> None:
    seen = [database.is_writing]
    both = [HeldWrite(database), HeldWrite(database)]
    await asyncio.sleep(0)
    for held in both:
        seen.append(database.is_writing)
        await held.release()
    assert [*seen, database.is_writing] == [False, True, True, False]


@pytest.mark.usefixtures("slow_machine")
async def test_a_failed_transaction_is_over(database: Database) -> None:
    def fails(_db: UnitOfWork) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(fails)
    assert not database.is_writing


@pytest.mark.usefixtures("slow_machine")
async def test_a_read_is_no_write(database: Database) -> None:
    assert not await database.read(lambda _db: database.is_writing)


async def test_a_write_that_waits_for_a_lock_or_the_disk_does_not_count_until_it_makes_progress(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    first, second = HeldWrite(database), HeldWrite(database)
    await asyncio.sleep(0)
    seen = [database.is_writing]
    now += 2 * module.STALLED_SECONDS
    seen.append(database.is_writing)
    await first.release()
    seen.append(database.is_writing)
    now += 2 * module.STALLED_SECONDS
    assert [*seen, database.is_writing] == [True, False, True, False]
    await second.release()
