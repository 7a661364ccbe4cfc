"""`python run.py restore`: a backup takes the place of the database, wholly or not at all."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config

from app.core.config import ConfigurationError
from app.core.database import file_lock, migrations
from app.operator.sqlite_file import beside
from app.services import sessions, users
from tests.operator.conftest import Operator
from tests.operator.folders import contents, kept
from tests.operator.test_backup import damage, rows
from tests.support.people import sign_in, sign_up
from tests.support.server import DEADLINE, ROOT, ChatServer

GENERAL = 1


async def test_after_a_crash_a_backup_is_restored_without_the_old_log(
    own_server: ChatServer, operator: Operator
) -> None:
    """The whole story: back up while the server runs, lose it, restore, go on."""
    ann = await sign_up(own_server, "ann")
    async with ann.enters(GENERAL) as seat:
        await seat.says("before the backup")
        await seat.hears("message")
        assert operator.runs("backup", "copy.db").status == 0
        await seat.says("after the backup")
        await seat.hears("message")
        refused = operator.runs("restore", "copy.db")
        assert refused.status == 2
        assert "stop the server first" in refused.err
    own_server.kill()
    assert beside(operator.database, "-wal").stat().st_size > 0, "there is a log to replay"
    done = operator.runs("restore", "copy.db")
    assert done.status == 0, done.err
    [old] = kept(operator.database)
    assert str(old) in done.out
    assert contents(old) == ["before the backup", "after the backup"]
    assert contents(operator.database) == ["before the backup"]
    own_server.start()
    assert (await ann.http.get("/api/auth/me")).status_code == 401, "the logins have ended"
    await ann.http.aclose()
    again = await sign_in(own_server, "ann")
    assert [message["message"] for message in await again.history(GENERAL)] == ["before the backup"]
    await again.http.aclose()


def test_a_server_under_plain_uvicorn_is_noticed_too(plain: ChatServer, operator: Operator) -> None:
    operator.sets(database_url=plain.settings["DATABASE_URL"])
    refused = operator.runs("restore", "whatever.db")
    assert refused.status == 2
    assert "stop the server first" in refused.err


def say(operator: Operator, *texts: str) -> None:
    """Write messages into the database without a server."""
    with closing(sqlite3.connect(operator.database)) as connection:
        [(last,)] = connection.execute("SELECT last_message_id FROM rooms WHERE id = 1").fetchall()
        for number, text in enumerate(texts, last + 1):
            connection.execute(
                "INSERT INTO messages (room_id, id, seq, changed_seq, sender_id, content, created_at) "
                "VALUES (1, ?, ?, ?, 1, ?, 0)",
                (number, 100 + number, 100 + number, text),
            )
        connection.execute("UPDATE rooms SET last_message_id = ? WHERE id = 1", (last + len(texts),))
        connection.commit()


def test_a_restore_that_is_killed_at_any_step_leaves_the_old_or_waits_for_another(
    operator: Operator, tmp_path: Path
) -> None:
    """Never a mixture, and never a server on one. The newest message of the old database is only in its log, as a crash
    leaves it; the old pages without it are the mixture."""
    operator.creates()
    say(operator, "shared")
    folder = tmp_path / "crashed"
    folder.mkdir()
    crash_with(operator, folder, "only in the log")
    say(operator, "of the backup")
    backup = tmp_path / "elsewhere.db"
    assert operator.runs("backup", str(backup)).status == 0
    old, new = ["shared", "only in the log"], ["shared", "only in the log", "of the backup"]
    assert contents(folder / "chat.db") == old
    reports = killed_restores(folder / "chat.db", backup)
    assert len(reports) > 15
    for report in reports:
        if report["may_start"]:
            assert report["content"] in (old, new), report
            assert report["kept"] == ([] if report["content"] == old else [old]), report
        again = report["again"]
        assert again["may_start"], report
        assert again["content"] == new, report
        assert old in again["kept"], report
        others = {name for name in again["files"] if ".before-restore-" not in name}
        assert others == {"chat.db", "chat.db.lock"}, report
    assert sum(not report["may_start"] for report in reports) >= 3, "no kill hit the exchange"
    assert reports[-1]["is_complete"]


def killed_restores(database: Path, backup: Path) -> list[dict[str, Any]]:
    process = subprocess.run(
        (sys.executable, "-m", "tests.operator.killed_restores", str(database), str(backup)),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    return [json.loads(line) for line in process.stdout.splitlines()]


def crash_with(operator: Operator, folder: Path, text: str) -> None:
    """Copy the files of a database whose newest message is only in its log."""
    with closing(sqlite3.connect(operator.database)) as reader:
        reader.execute("PRAGMA journal_mode = WAL")
        reader.execute("SELECT count(*) FROM users").fetchone()
        say(operator, text)
        for ending in ("", "-wal", "-shm"):
            shutil.copy(beside(operator.database, ending), beside(folder / "chat.db", ending))
    with closing(sqlite3.connect(f"file:{folder / 'chat.db'}?immutable=1", uri=True)) as without_log:
        assert (text,) not in without_log.execute("SELECT content FROM messages").fetchall()


def test_while_a_restore_runs_or_is_unfinished_no_server_starts(operator: Operator) -> None:
    operator.creates()
    with file_lock.exclusive(operator.database) as replacing:
        with (
            pytest.raises(ConfigurationError, match="is being restored"),
            file_lock.shared(operator.database),
        ):
            pass
        replacing.begin("chat.db.before-restore-test")
    with pytest.raises(RuntimeError, match=r"exited with 2.*interrupted; run it again"):
        ChatServer(operator.folder).start()
    assert "interrupted" in operator.runs("users", "list").err
    with file_lock.exclusive(operator.database) as replacing:
        assert replacing.unfinished == "chat.db.before-restore-test"
        replacing.end()
    assert operator.runs("users", "list").status == 0


def backed_up(operator: Operator) -> Path:
    operator.creates()
    assert operator.runs("backup", "copy.db").status == 0
    return operator.folder / "copy.db"


@pytest.mark.parametrize(
    "what, sentence",
    [
        ("text", "is not a SQLite database, or is damaged"),
        ("damaged", "is damaged"),
        ("missing", "is not there"),
        ("foreign", "is not a database of this program"),
        ("newer", "was made by a newer version of this program (migration 9999); upgrade first"),
        ("same", "is the database itself"),
    ],
)
def test_what_is_no_sound_backup_is_refused_and_changes_nothing(
    operator: Operator, what: str, sentence: str
) -> None:
    copy = backed_up(operator)
    match what:
        case "text":
            copy.write_text("hello " * 5000)
        case "damaged":
            damage(copy)
        case "missing":
            copy.unlink()
        case "foreign":
            copy.unlink()
            with closing(sqlite3.connect(copy)) as other:
                other.execute("CREATE TABLE users (id)")
        case "newer":
            with closing(sqlite3.connect(copy)) as newer:
                newer.execute("UPDATE alembic_version SET version_num = '9999'")
                newer.commit()
        case _:
            copy = operator.database
    before = {path.name: path.read_bytes() for path in operator.folder.iterdir()}
    refused = operator.runs("restore", str(copy))
    assert refused.status == 2
    assert sentence in refused.err
    assert {path.name: path.read_bytes() for path in operator.folder.iterdir()} == before


def test_a_database_that_another_program_has_open_is_not_replaced(operator: Operator) -> None:
    """A sqlite3 shell does not know our lock, and does nothing when this is tried."""
    backed_up(operator)
    code = (
        "import sqlite3, sys; shell = sqlite3.connect(sys.argv[1]); shell.execute('SELECT * FROM users').fetchone();"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        (sys.executable, "-c", code, str(operator.database)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as shell:
        assert shell.stdout is not None
        assert shell.stdout.readline() == b"open\n"
        refused = operator.runs("restore", "copy.db")
    assert refused.status == 2
    assert "another program has" in refused.err
    assert operator.runs("restore", "copy.db").status == 0


def test_a_backup_that_is_the_database_of_a_running_server_is_refused(
    server: ChatServer, operator: Operator
) -> None:
    operator.creates()
    live = server.settings["DATABASE_URL"].removeprefix("sqlite:///")
    assert "is in use" in operator.runs("restore", live).err


def test_a_damaged_database_is_replaced_and_kept_with_its_log(operator: Operator) -> None:
    backed_up(operator)
    operator.database.write_bytes(b"no database at all")
    beside(operator.database, "-wal").write_bytes(b"what a crash left")
    done = operator.runs("restore", "copy.db")
    assert done.status == 0, done.err
    assert rows(operator.database, "SELECT count(*) FROM users") == [(3,)]
    assert len(list(operator.folder.glob("chat.db.before-restore-*-wal"))) == 1


def test_a_database_that_is_missing_is_restored(operator: Operator) -> None:
    backed_up(operator)
    operator.database.unlink()
    beside(operator.database, "-wal").write_bytes(b"of the one that was deleted")
    done = operator.runs("restore", "copy.db")
    assert done.status == 0, done.err
    assert "before-restore" not in done.out
    assert sorted(path.name for path in operator.folder.iterdir()) == ["chat.db", "chat.db.lock", "copy.db"]


def test_an_older_backup_is_migrated(operator: Operator) -> None:
    operator.creates()
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    old = operator.folder / "old.db"
    operator.sets(database_url=f"sqlite:///{old}")
    command.upgrade(config, "0002")
    assert "is_administrator" not in str(rows(old, "SELECT sql FROM sqlite_schema WHERE name = 'users'"))
    operator.sets(database_url=f"sqlite:///{operator.database}")
    assert operator.runs("restore", "old.db").status == 0
    assert operator.runs("users", "list").status == 0


def test_two_restores_in_a_row_keep_both_databases_of_before(operator: Operator) -> None:
    backed_up(operator)
    say(operator, "one")
    assert operator.runs("restore", "copy.db").status == 0
    say(operator, "two")
    assert operator.runs("restore", "copy.db").status == 0
    assert sorted(contents(path) for path in kept(operator.database)) == [["one"], ["two"]]
    assert contents(operator.database) == []


def epoch_names(path: Path) -> list[object]:
    return [name for (name,) in rows(path, "SELECT name FROM epochs ORDER BY number")]


def test_a_restore_begins_an_epoch(operator: Operator) -> None:
    """Otherwise the numbers that were given out after the backup would name other messages."""
    copy = backed_up(operator)
    before = epoch_names(copy)
    assert operator.runs("restore", "copy.db", "--keep-logins").status == 0
    assert epoch_names(operator.database)[:-1] == before


def log_in(operator: Operator) -> None:
    database = operator.opens()
    database.transact(lambda db: sessions.open_session(db, users.named(db, "user1").id, "", 60_000))
    database.close()


@pytest.mark.parametrize("options, count", [((), "1 logins ended"), (("--keep-logins",), "0 logins ended")])
def test_logins_of_the_backup_end_unless_they_are_to_be_kept(
    operator: Operator, options: tuple[str, ...], count: str
) -> None:
    operator.creates()
    log_in(operator)
    assert operator.runs("backup", "copy.db").status == 0
    done = operator.runs("restore", "copy.db", *options)
    assert count in done.out
    [(revoked_at,)] = rows(operator.database, "SELECT revoked_at FROM sessions")
    assert (revoked_at is None) is bool(options)


def test_the_old_database_can_be_discarded(operator: Operator) -> None:
    backed_up(operator)
    assert operator.runs("restore", "copy.db", "--discard-old").status == 0
    assert not list(operator.folder.glob("*before-restore*"))


def test_a_set_of_files_from_a_stopped_server_is_restored_with_its_log(operator: Operator) -> None:
    operator.creates()
    folder = operator.folder / "set"
    folder.mkdir()
    crash_with(operator, folder, "only in the log")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert operator.runs("restore", "set/chat.db").status == 0
    assert contents(operator.database) == ["only in the log"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before, "the backup is not touched"


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_on_a_database_server_the_way_is_named(operator: Operator, scheme: str) -> None:
    operator.sets(database_url=f"{scheme}://db/chat")
    refused = operator.runs("restore", "copy.db")
    assert refused.status == 2
    assert "pg_restore" in refused.err
