"""The database says whether something is on its way to disk, so that a crowd can wait for it."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from app.core.config import Settings
from app.core.database import Database, UnitOfWork
from app.core.database import database as module
from app.main import create_app


class Held:
    """Something to write, which takes until it is released."""

    def __init__(self, database: Database) -> None:
        self._may_go_on = threading.Event()
        self.task = asyncio.create_task(database.write(self._work))

    def _work(self, _db: UnitOfWork) -> None:
        assert self._may_go_on.wait(60)

    async def release(self) -> None:
        self._may_go_on.set()
        await self.task


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine may be slow."""
    monkeypatch.setattr(module, "STALLED_SECONDS", 60.0)


@pytest.mark.usefixtures("patience")
async def test_it_is_writing_from_the_first_to_the_last(database: Database) -> None:
    seen = [database.is_writing]
    both = [Held(database), Held(database)]
    await asyncio.sleep(0)
    for held in both:
        seen.append(database.is_writing)
        await held.release()
    assert [*seen, database.is_writing] == [False, True, True, False]


@pytest.mark.usefixtures("patience")
async def test_what_fails_is_not_on_its_way_any_more(database: Database) -> None:
    def fails(_db: UnitOfWork) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(fails)
    assert not database.is_writing


@pytest.mark.usefixtures("patience")
async def test_what_is_read_is_not_written(database: Database) -> None:
    assert not await database.read(lambda _db: database.is_writing)


async def test_what_waits_for_something_else_than_us_does_not_count_until_it_moves(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    first, second = Held(database), Held(database)
    await asyncio.sleep(0)
    seen = [database.is_writing]
    now += 2 * module.STALLED_SECONDS
    seen.append(database.is_writing)
    await first.release()
    seen.append(database.is_writing)
    now += 2 * module.STALLED_SECONDS
    assert [*seen, database.is_writing] == [True, False, True, False]
    await second.release()


@pytest.mark.usefixtures("patience", "nothing_set")
async def test_it_is_what_the_line_of_the_application_gives_way_to() -> None:
    app = create_app(Settings(database_url="sqlite:///./chat.db"))
    async with app.router.lifespan_context(app):
        held = Held(app.state.parts.database)
        await asyncio.sleep(0)
        seen = [app.state.turnstile._gives_way()]
        await held.release()
        assert [*seen, app.state.turnstile._gives_way()] == [True, False]
