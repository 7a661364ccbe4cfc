"""What an error says of the database, and that looking at one never raises another."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from app.core.database import Database, DatabaseUnavailable, UnitOfWork
from app.core.database.failures import is_deadlock


@pytest.mark.parametrize("error", [KeyError(1213), ValueError(["a list"]), RuntimeError()])
def test_an_error_of_our_own_is_no_deadlock(error: Exception) -> None:
    assert not is_deadlock(error)


def full(_db: UnitOfWork) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise OperationalError("INSERT", {}, error)


async def test_a_folder_that_is_gone_does_not_hide_what_happened(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    database = Database(URL.create("sqlite", database=str(folder / "chat.db")), pool_size=1)
    await database.read(lambda db: db.connection())
    shutil.rmtree(folder)
    with pytest.raises(DatabaseUnavailable):
        await database.write(full)
    database.close()
