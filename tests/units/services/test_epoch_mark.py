"""The mark beside a SQLite file tells whether the file was replaced while no server ran."""

import json
from pathlib import Path

import pytest

from app.core.database import Database
from app.services import epochs
from app.services.epochs import EpochMark
from app.services.epochs.mark import state
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, user_named


@pytest.fixture
async def first(database: Database) -> str:
    """The epoch of a database with some changes."""
    ann = await user_named(database, "ann")
    await say(Ledger(database), await member_of(database, ann, await room_of(database, ann)), *"123")
    return await database.read(epochs.name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


async def checked(database: Database, file: Path | None) -> str:
    """The epoch after a start."""
    return await database.write(EpochMark(file).check)


async def test_a_file_that_went_on_since_its_mark_stays_in_its_epoch(
    database: Database, file: Path, first: str
) -> None:
    mark = EpochMark(file)
    await mark.update(database)
    assert await checked(database, file) == first
    name, changes = await database.read(state)
    mark.write(name, changes - 1)
    assert await checked(database, file) == first


async def test_a_file_with_fewer_changes_than_its_mark_begins_an_epoch(
    database: Database, file: Path, first: str
) -> None:
    name, changes = await database.read(state)
    EpochMark(file).write(name, changes + 1)
    assert await checked(database, file) != first


@pytest.mark.parametrize(
    "content", [None, "", "{", "{}", "[1]", "null", '{"epoch": "another", "changes": 1}']
)
async def test_a_file_without_a_valid_mark_begins_an_epoch(
    database: Database, file: Path, first: str, content: str | None
) -> None:
    if content is not None:
        file.with_name("chat.db.epoch").write_text(content)
    assert await checked(database, file) != first


async def test_an_empty_database_and_one_without_a_file_need_no_mark(database: Database, file: Path) -> None:
    empty = await checked(database, file)
    assert await checked(database, file) == empty
    assert await checked(database, None) == empty
    await EpochMark(None).update(database)


async def test_a_mark_is_written_whole_and_only_when_something_changed(
    database: Database, file: Path, first: str
) -> None:
    mark, path = EpochMark(file), file.with_name("chat.db.epoch")
    await mark.update(database)
    assert json.loads(path.read_text())["epoch"] == first
    path.unlink()
    await mark.update(database)
    assert not path.exists(), "nothing changed"
    assert not list(file.parent.glob("*.new"))


async def test_a_mark_that_cannot_be_written_stops_nothing(
    database: Database, tmp_path: Path, first: str
) -> None:
    await EpochMark(tmp_path / "gone" / "chat.db").update(database)
