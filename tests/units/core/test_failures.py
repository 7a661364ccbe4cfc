"""What an error says of the database, and that looking at one never raises another."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from app.core.database import Database, DatabaseUnavailable, UnitOfWork
from app.core.database.failures import is_deadlock, is_lock_timeout, is_read_only


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


@pytest.mark.parametrize(
    "number, is_known", [(1213, is_deadlock), (1205, is_lock_timeout), (1290, is_read_only)]
)
def test_the_number_of_mysql_counts_and_not_its_vague_sqlstate(
    number: int, is_known: Callable[[BaseException], bool]
) -> None:
    """PyMySQL gives both, and HY000 says nothing."""
    error = pymysql.err.OperationalError(number, "as the server words it", sqlstate="HY000")
    assert is_known(OperationalError("COMMIT", {}, error))
