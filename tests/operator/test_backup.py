"""`python run.py backup`: a sound copy of one moment, while the server runs and writes."""

import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from app.operator import sqlite_file
from app.operator.sqlite_file import beside
from tests.operator.conftest import Operator
from tests.support.people import sign_up
from tests.support.server import ChatServer, wait_until

GENERAL = 1


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def writing(url: str, token: str) -> Iterator[list[int]]:
    """Write one message after the other. Yields the ids of those that were acknowledged."""
    acknowledged: list[int] = []
    is_over = threading.Event()

    def write() -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
            while not is_over.is_set():
                answer = http.post(f"/api/messages/{GENERAL}", json={"content": "x" * 500})
                acknowledged.append(answer.json()["id"])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield acknowledged
    finally:
        is_over.set()
        writer.join()


async def test_a_backup_of_a_busy_server_holds_what_was_acknowledged_before_it(
    server: ChatServer, operator: Operator
) -> None:
    ann = await sign_up(server, "backed up")
    operator.sets(database_url=server.settings["DATABASE_URL"])
    copy = operator.folder / "copy.db"
    with writing(server.url, ann.token) as acknowledged:
        wait_until(lambda: len(acknowledged) >= 5, "writing")
        before = max(acknowledged)
        done = operator.runs("backup", "copy.db")
        after = max(acknowledged)
        wait_until(lambda: max(acknowledged) > after, "still writing")
    await ann.http.aclose()
    assert done.status == 0, done.err
    assert f"Backed up to {copy}" in done.out
    assert rows(copy, "PRAGMA integrity_check") == [("ok",)]
    [(last,)] = rows(copy, "SELECT last_message_id FROM rooms WHERE id = 1")
    assert isinstance(last, int)
    assert before <= last <= after + 1
    assert rows(copy, "SELECT count(*) FROM messages WHERE room_id = 1") == [(last,)]
    assert rows(copy, "PRAGMA journal_mode") == [("delete",)], "it is one file, even on a read-only disk"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in operator.folder.iterdir()] == ["copy.db"]


def test_a_backup_ends_although_another_connection_commits_after_every_step(tmp_path: Path) -> None:
    """SQLite begins a copy anew whenever another connection has written, unless the copy reads one snapshot."""
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE t (x)")
        writer.executemany("INSERT INTO t VALUES (?)", [("x" * 3000,)] * 2000)
        steps: list[int] = []

        def commit(done: int, total: int) -> None:
            writer.execute("INSERT INTO t VALUES ('late')")
            steps.append(done)
            assert len(steps) <= total, "the copy has begun anew"

        with (
            sqlite_file.opened(tmp_path / "a.db") as source,
            closing(sqlite3.connect(tmp_path / "b.db")) as target,
        ):
            sqlite_file.copy_pages(source, target, commit)
    assert len(steps) > 3
    assert steps == sorted(steps)
    assert rows(tmp_path / "b.db", "SELECT count(*) FROM t") == [(2000,)]


def test_a_file_is_overwritten_only_if_asked_and_never_the_database_itself(operator: Operator) -> None:
    operator.creates()
    file = operator.folder / "copy.db"
    file.write_text("something else")
    refused = operator.runs("backup", "copy.db")
    assert (refused.status, file.read_text()) == (2, "something else")
    assert "--force" in refused.err
    assert operator.runs("backup", "copy.db", "--force").status == 0
    assert rows(file, "SELECT count(*) FROM users") == [(3,)]
    assert "is the database itself" in operator.runs("backup", "chat.db", "--force").err
    assert rows(operator.database, "SELECT count(*) FROM users") == [(3,)]


def test_a_disk_that_fills_up_leaves_the_old_backup_and_no_half_of_a_new_one(operator: Operator) -> None:
    operator.creates()
    file = operator.folder / "copy.db"
    file.write_text("the old one")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        refused = operator.runs("backup", "copy.db", "--force")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refused.status == 2
    assert file.read_text() == "the old one"
    assert not list(operator.folder.glob("*.part*"))


def test_a_damaged_database_is_not_backed_up_in_silence(operator: Operator) -> None:
    operator.creates()
    damage(operator.database)
    refused = operator.runs("backup", "copy.db")
    assert refused.status == 2
    assert "damaged" in refused.err
    assert not (operator.folder / "copy.db").exists()


def damage(path: Path) -> None:
    """Overwrite every page but the first two."""
    assert not beside(path, "-wal").exists()
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.seek(2 * 4096)
        file.write(b"\xff" * (size - 2 * 4096))


def test_a_database_that_is_not_there_is_not_created(operator: Operator) -> None:
    assert "is not there" in operator.runs("backup", "copy.db").err
    assert not operator.database.exists()


@pytest.mark.parametrize(
    "url, command",
    [
        (
            "postgresql://ann:very-secret@db/chat",
            "pg_dump --format=custom --file={file} postgresql://ann@db/chat",
        ),
        (
            "mysql://ann:very-secret@db:3307/chat",
            "mariadb-dump --single-transaction --result-file={file} --host=db --port=3307 --user=ann --password chat",
        ),
    ],
    ids=["postgresql", "mysql"],
)
def test_for_a_database_server_the_command_is_named(operator: Operator, url: str, command: str) -> None:
    operator.sets(database_url=url)
    refused = operator.runs("backup", "copy.db")
    assert refused.status == 2
    assert command.format(file=operator.folder / "copy.db") in refused.err
    assert "very-secret" not in refused.err


def test_a_database_in_memory_cannot_be_backed_up(operator: Operator) -> None:
    operator.sets(database_url="sqlite://")
    assert "in memory" in operator.runs("backup", "copy.db").err
