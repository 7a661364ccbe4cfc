"""The database says whether something is on its way to disk, so that a crowd can wait for it."""

import asyncio
import threading

import pytest
from sqlalchemy.orm import Session as Db

from app.core.database import Database


async def test_it_is_writing_from_the_first_to_the_last(database: Database) -> None:
    may_go_on = threading.Event()

    def takes_its_time(_db: Db) -> None:
        may_go_on.wait()

    seen = [database.is_writing]
    both = [asyncio.create_task(database.write(takes_its_time)) for _ in range(2)]
    await asyncio.sleep(0)
    seen.append(database.is_writing)
    may_go_on.set()
    await asyncio.gather(*both)
    assert [*seen, database.is_writing] == [False, True, False]


async def test_what_fails_is_not_on_its_way_any_more(database: Database) -> None:
    def fails(_db: Db) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(fails)
    assert not database.is_writing


async def test_what_is_read_is_not_written(database: Database) -> None:
    assert not await database.read(lambda _db: database.is_writing)
