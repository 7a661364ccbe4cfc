"""The file of a SQLite database is deleted, moved or replaced while the server runs.

Nothing is acknowledged into a file without a name, and the server goes on in the file that takes its place.
"""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from app.core.database import Database, DatabaseUnavailable, UnitOfWork, Unknown, migrations
from app.core.database import database as module
from app.core.database.file_watch import FileWatch, UnusableFile
from app.services import access, messages
from app.services.access import Membership
from app.services.announcements import SessionsEnded, announce
from app.services.callers import Caller
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, user_named
from tests.support.fakes import eventually
from tests.support.people import sign_up
from tests.support.server import ChatServer, wait_until


@dataclass
class Site:
    """A database with one message, `backed up`, a copy of it, and one message more that the copy lacks."""

    database: Database
    ledger: Ledger
    ann: Caller
    member: Membership
    file: Path
    log: Path
    backup: Path

    @property
    def watch(self) -> FileWatch:
        assert self.database._file is not None
        return self.database._file

    async def texts(self) -> list[str]:
        _, page = await self.database.read(messages.page, self.ann, self.member.room_id, None, None, 50)
        return [message["message"] for message in page]

    async def refuses_reads(self) -> bool:
        try:
            await access.room_view(self.database, self.ann, self.member.room_id)
        except DatabaseUnavailable:
            return True
        return False

    async def is_refused(self) -> None:
        with pytest.raises(DatabaseUnavailable):
            await say(self.ledger, self.member, "refused")

    async def works_again(self) -> None:
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(DatabaseUnavailable):
                    await say(self.ledger, self.member, "again")
                    return
                await asyncio.sleep(0.01)


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.02)
    file, backup = tmp_path / "chat.db", tmp_path / "backup.db"
    database = Database(make_url(f"sqlite:///{file}"), pool_size=2)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda connection: None)
    ann = await user_named(database, "ann")
    member = await member_of(database, ann, await room_of(database, ann))
    made = Site(database, Ledger(database), ann, member, file, tmp_path / "chat.db-wal", backup)
    await say(made.ledger, member, "backed up")
    copy(file, backup)
    await say(made.ledger, member, "lost")
    assert not await made.refuses_reads()
    watching = asyncio.create_task(database.keep_file())
    yield made
    watching.cancel()
    database.close()


def copy(file: Path, backup: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(file)) as source,
        contextlib.closing(sqlite3.connect(backup)) as to,
    ):
        source.backup(to)


async def test_a_deleted_file_is_never_written_to_nor_made_anew(site: Site) -> None:
    site.file.unlink()
    await site.is_refused()
    assert await site.refuses_reads()
    site.database.truncate_log()
    for _ in range(3):
        await asyncio.sleep(0.03)  # several looks
        await site.is_refused()
    assert not site.file.exists()


async def test_reads_notice_without_a_write(site: Site) -> None:
    site.file.unlink()
    watch = site.watch
    await eventually(lambda: not watch.is_current)
    assert await site.refuses_reads()
    with pytest.raises(DatabaseUnavailable):
        await site.texts()


async def test_a_file_that_is_moved_away_and_back_is_used_again(site: Site) -> None:
    site.file.rename(site.backup)
    await site.is_refused()
    site.backup.rename(site.file)
    await site.works_again()
    assert await site.texts() == ["backed up", "lost", "again"]


async def test_a_file_taken_away_during_a_commit_leaves_the_outcome_unknown(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = UnitOfWork.commit

    def commit_into_nothing(db: UnitOfWork) -> None:
        site.file.unlink()
        commit(db)

    published: list[object] = []
    site.database.on_commit(published.extend)
    monkeypatch.setattr(UnitOfWork, "commit", commit_into_nothing)
    with pytest.raises(Unknown):
        await say(site.ledger, site.member, "where am I?")
    assert published == []


async def test_the_server_goes_on_in_another_file_without_the_log_of_the_old_one(site: Site) -> None:
    assert site.log.stat().st_size > 0
    site.backup.replace(site.file)
    await site.works_again()
    assert await site.texts() == ["backed up", "again"]
    with contextlib.closing(sqlite3.connect(site.file)) as other:
        assert other.execute("SELECT count(*) FROM messages").fetchone() == (2,)
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_the_old_log_is_gone_even_if_the_writer_was_not_connected(site: Site) -> None:
    """Its readers keep the log, and SQLite would read it as a part of the new file."""
    site.database.writer.dispose()
    assert site.log.stat().st_size > 0
    site.backup.replace(site.file)
    await site.works_again()
    assert await site.texts() == ["backed up", "again"]


async def test_a_log_of_unknown_origin_beside_a_new_file_is_not_guessed_at(site: Site) -> None:
    await say(site.ledger, site.member, "in the log")
    strange = site.log.with_name("strange")
    strange.write_bytes(site.log.read_bytes())
    strange.replace(site.log)
    site.backup.replace(site.file)
    await asyncio.to_thread(site.watch.look)
    with pytest.raises(UnusableFile):
        await asyncio.to_thread(site.watch.reopen)


async def test_nothing_writes_the_old_log_into_a_new_file(site: Site) -> None:
    """Before the server notices, an erased text may be waiting for the truncation of the log."""
    before = site.backup.read_bytes()
    site.backup.replace(site.file)
    site.database.truncate_log()
    assert site.file.read_bytes() == before


async def test_a_reader_of_the_old_file_holds_nothing_up(site: Site) -> None:
    """Its snapshot keeps the old log from being emptied."""
    with site.database.reader.connect() as reader:
        assert reader.exec_driver_sql("SELECT count(*) FROM messages").scalar_one() == 2
        await say(site.ledger, site.member, "lost too")
        site.backup.replace(site.file)
        await site.works_again()
        assert reader.exec_driver_sql("SELECT count(*) FROM messages").scalar_one() == 2
    assert await site.texts() == ["backed up", "again"]
    with contextlib.closing(sqlite3.connect(site.file)) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_renamed_file_keeps_every_commit(site: Site) -> None:
    old = site.file.with_name("old.db")
    site.file.rename(old)
    site.backup.replace(site.file)
    await site.works_again()
    with contextlib.closing(sqlite3.connect(old)) as connection:
        texts = connection.execute("SELECT content FROM messages ORDER BY id").fetchall()
    assert texts == [("backed up",), ("lost",)]


def not_a_database(file: Path) -> None:
    file.write_bytes(b"chat " * 5000)


def half_a_copy(file: Path) -> None:
    whole = file.with_name("backup.db").read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def an_empty_file(file: Path) -> None:
    file.touch()


def another_program(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE users (email TEXT)")


@pytest.mark.parametrize("write", [not_a_database, half_a_copy, an_empty_file, another_program])
async def test_a_file_that_cannot_be_used_is_refused_and_left_alone(
    site: Site, write: Callable[[Path], None]
) -> None:
    new = site.file.with_name("new.db")
    write(new)
    before = new.read_bytes()
    new.replace(site.file)
    await site.is_refused()
    watch = site.watch
    await eventually(lambda: watch._reported == "file_unusable")
    await site.is_refused()
    assert await site.refuses_reads()
    assert site.file.read_bytes() == before
    site.backup.replace(site.file)
    await site.works_again()
    assert await site.texts() == ["backed up", "again"]


async def test_a_deleted_log_is_moved_into_the_file(site: Site) -> None:
    site.log.unlink()
    with pytest.raises(Unknown):
        await say(site.ledger, site.member, "into a log without a name")
    await site.works_again()
    assert await site.texts() == ["backed up", "lost", "into a log without a name", "again"]
    with contextlib.closing(sqlite3.connect(site.file)) as other:
        assert other.execute("SELECT count(*) FROM messages").fetchone() == (4,)


async def test_work_on_a_changed_file_comes_first_and_is_published(site: Site) -> None:
    attempts: list[int] = []
    published: list[object] = []

    def begin(db: UnitOfWork) -> None:
        attempts.append(messages_in(db))
        if len(attempts) < 3:
            raise ValueError("not yet")
        announce(db, SessionsEnded(["all"]))

    site.database.on_commit(published.extend)
    site.database.on_file_changed(begin)
    site.backup.replace(site.file)
    await site.works_again()
    assert attempts == [1, 1, 1], "before the first new message"
    assert published[0] == SessionsEnded(["all"])


def messages_in(db: UnitOfWork) -> int:
    count: int = db.connection().exec_driver_sql("SELECT count(*) FROM messages").scalar_one()
    return count


def health(server: ChatServer) -> int:
    return httpx.get(f"{server.url}/health").status_code


async def test_a_server_refuses_says_why_once_and_goes_on(tmp_path: Path) -> None:
    with ChatServer(tmp_path) as server:
        ann = await sign_up(server, "ann")
        backup = tmp_path / "backup.db"
        copy(tmp_path / "chat.db", backup)
        async with ann.enters(1) as seat:
            await seat.says("before")
            await seat.hears("message")
            (tmp_path / "chat.db").unlink()
            await seat.does("message", content="after", ref="r")
            assert (await seat.hears("error", ref="r"))["code"] == "database_unavailable"
            assert (await ann.http.get("/api/rooms")).status_code == 503
            wait_until(lambda: "file_missing" in server.log.read_text(), "a line in the log", 10)
            assert health(server) == 503
            backup.replace(tmp_path / "chat.db")
            wait_until(lambda: health(server) == 200, "healthy", 15)
            wait_until(lambda: "epoch.began" in server.log.read_text(), "a new epoch", 15)
        await ann.http.aclose()
        lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    events = [line["event"] for line in lines if line["event"].startswith("database.")]
    assert events == ["database.file_missing", "database.file_replaced", "database.file_reopened"]
    assert all(line["path"].endswith("chat.db") for line in lines if line["event"] in events)
