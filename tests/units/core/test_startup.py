"""A server that cannot start says why in one sentence."""

import contextlib
import errno
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import NoSuchModuleError, OperationalError

from app.core.config import ConfigurationError, Settings
from app.core.database import DatabaseUnavailable, integrity
from app.core.database.migrations import StillMigrating
from app.core.serving.server import listen
from app.core.startup import cannot_listen, check_database, reasons
from tests.support.server import free_port


def why(database_url: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        check_database(Settings(database_url=database_url).url)
    return str(refused.value)


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_an_unreachable_database_is_named_without_its_password(kind: str) -> None:
    said = why(f"{kind}://ann:very-secret@127.0.0.1:{free_port()}/chat")
    assert said.startswith("the database does not answer (")
    assert "refused" in said
    assert "very-secret" not in said
    assert "\n" not in said


def test_an_argument_that_a_driver_does_not_know() -> None:
    said = why(f"mysql://127.0.0.1:{free_port()}/chat?pool=5")
    assert said.startswith("DATABASE_URL: ")
    assert "'pool'" in said


def test_a_defect_of_our_own_is_no_failure_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("app.core.database.engines._run_pragmas", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        check_database(make_url("sqlite://"))


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder cannot be opened as a file, not even by root."""
    assert "unable to open database file" in why(f"sqlite:///{tmp_path}")


def test_an_existing_database_is_accepted(tmp_path: Path) -> None:
    check_database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"))
    check_database(make_url("sqlite://"))


def test_an_address_in_use() -> None:
    with listen(Settings(port=0)) as first:
        settings = Settings(port=first.getsockname()[1])
        with pytest.raises(OSError, match="in use") as refused:
            listen(settings)
    said = str(cannot_listen(settings, refused.value))
    assert said == f"127.0.0.1:{settings.port} is in use by another program; choose a port with PORT=9000"


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_of_another_machine(host: str) -> None:
    """192.0.2.0/24 belongs to no machine (RFC 5737), and no name ends with .invalid (RFC 2606)."""
    settings = Settings(host=host)
    with pytest.raises(OSError, match=r"\w") as refused:
        listen(settings)
    assert str(cannot_listen(settings, refused.value)) == f"HOST={host} is not an address of this machine"


def test_any_other_error_is_quoted_from_the_system() -> None:
    error = PermissionError(errno.EACCES, "Permission denied")
    assert str(cannot_listen(Settings(port=80), error)) == "127.0.0.1:80: Permission denied"
    assert str(cannot_listen(Settings(port=80), socket.herror("odd"))) == "127.0.0.1:80: odd"


@pytest.mark.parametrize(
    "error, sentences",
    [
        (ConfigurationError("no\n  key"), ["no key"]),
        (StillMigrating(), [str(StillMigrating())]),
        (DatabaseUnavailable(), ["The database does not answer; try again."]),
        (
            ModuleNotFoundError(name="orjson"),
            ["orjson is not installed. Run:  pip install -r requirements.txt"],
        ),
        (PermissionError(errno.EACCES, "Permission denied", "chat.db"), ["chat.db: Permission denied"]),
        (OSError("odd"), ["odd"]),
        (
            CommandError("users: other columns"),
            ["the tables of the database cannot be brought up to date: users: other columns"],
        ),
        (sqlite3.OperationalError("database is locked"), ["the database says: database is locked"]),
        (
            OperationalError("SELECT secret", {}, sqlite3.OperationalError("no such table:\n users")),
            ["the database says: no such table: users"],
        ),
        (NoSuchModuleError("no plugin"), ["the database says: no plugin"]),
        (KeyError("x"), ["KeyError: 'x' (LOG_LEVEL=debug shows where)"]),
    ],
    ids=repr,
)
def test_every_failure_is_one_line(error: BaseException, sentences: list[str]) -> None:
    assert reasons(error) == sentences


def test_every_wrong_setting_is_named_without_its_value() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(
            {"port": "very-secret", "cors_origins": "very-secret.example x", "database_url": "very-secret"}
        )
    said = reasons(refused.value)
    assert [line.partition(":")[0] for line in said] == ["PORT", "DATABASE_URL", "CORS_ORIGINS"]
    assert not any("Value error" in line for line in said)
    assert "very-secret" not in said[0] + said[1]


def database_in(folder: Path) -> str:
    """A database that a server has closed."""
    path = folder / "chat.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE notes (text TEXT)")
        connection.executemany("INSERT INTO notes VALUES (?)", [("x" * 1000,)] * 500)
        connection.commit()
    return f"sqlite:///{path}"


def leave_open(path: Path) -> None:
    """End a process that has the database open, as `kill -9` does: its last commit is only in the log."""
    script = (
        "import os, sqlite3, sys; connection = sqlite3.connect(sys.argv[1]);"
        "connection.execute('INSERT INTO notes VALUES (1)'); connection.commit(); os._exit(9)"
    )
    subprocess.run((sys.executable, "-c", script, str(path)), check=False)
    assert integrity.was_left_open(path)


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096 * 40)


def test_a_file_damaged_by_a_crash_is_refused_and_its_log_is_kept(tmp_path: Path) -> None:
    url, path = database_in(tmp_path), tmp_path / "chat.db"
    leave_open(path)
    damage(path)
    before = {file.name: file.read_bytes() for file in (path, tmp_path / "chat.db-wal")}
    said = why(url)
    assert said.startswith(f"the database {path} is damaged (")
    assert said.endswith("); restore a backup: python run.py restore FILE")
    assert "\n" not in said
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_a_whole_file_is_accepted_after_a_crash_and_is_closed_then(tmp_path: Path) -> None:
    url, path = database_in(tmp_path), tmp_path / "chat.db"
    leave_open(path)
    check_database(make_url(url))
    assert not integrity.was_left_open(path)


def test_a_check_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database_in(tmp_path)
    monkeypatch.setattr(integrity, "_STEPS", 1)
    path = str(tmp_path / "chat.db")
    assert integrity.find_damage(path, seconds=0) is None
    damage(tmp_path / "chat.db")
    assert integrity.find_damage(path, seconds=0) is None
    assert integrity.find_damage(path, seconds=10) is not None


@pytest.mark.parametrize("content", [b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "chat.db").write_bytes(content)
    said = why(f"sqlite:///{tmp_path / 'chat.db'}")
    assert "is damaged (" in said
    assert said.endswith("restore a backup: python run.py restore FILE")


@pytest.mark.parametrize("trace", ["chat.db-wal", "chat.db.epoch", "chat.secret", "chat.db.2026-11-27"])
@pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
def test_a_lost_database_is_not_made_anew_without_a_word(
    tmp_path: Path, trace: str, content: bytes | None
) -> None:
    path = tmp_path / "chat.db"
    (tmp_path / trace).write_text("x")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        check_database(make_url(f"sqlite:///{path}"), may_create=False)
    assert str(refused.value) == (
        f"the database {path} is missing, but {trace} beside it tells of an earlier one; restore a backup: "
        "python run.py restore FILE, or begin with an empty database: python run.py serve --init"
    )
    assert path.exists() == (content is not None)


@pytest.mark.parametrize(
    "may_create, others", [(False, ["server.log", "chat2.db"]), (True, ["chat.db.epoch"])]
)
def test_a_first_database_is_created_and_found_at_the_next_check(
    tmp_path: Path, may_create: bool, others: list[str]
) -> None:
    for name in others:
        (tmp_path / name).write_text("x")
    url = make_url(f"sqlite:///{tmp_path / 'chat.db'}")
    check_database(url, may_create)
    assert (tmp_path / "chat.db").stat().st_size > 0
    (tmp_path / "chat.db.epoch").touch()
    check_database(url, may_create=False)


def test_a_folder_that_is_missing_holds_no_traces(tmp_path: Path) -> None:
    assert integrity.traces(tmp_path / "nowhere" / "chat.db") == []
