"""Whatever is wrong around the server: it starts, or says why in one sentence, with exit status 2 and no traceback."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import run
from app.core.database import file_lock
from tests.operator.conftest import Operator
from tests.operator.test_backup import damage
from tests.support.server import DEADLINE, ROOT, free_port

OWN_KEY = "x7Jq-my own long secret key-2Vd9"
PLACEHOLDER = "your-secret-key-change-this-in-production"
PRODUCTION: dict[str, object] = {"environment": "production", "secret_key": OWN_KEY}

SETTINGS: dict[str, tuple[dict[str, object], str]] = {
    "a word as port": ({"port": "many"}, "PORT: "),
    "a port too large": ({"port": 70_000}, "PORT: "),
    "a negative port": ({"port": -1}, "PORT: "),
    "a host of another machine": ({"host": "192.0.2.1"}, "HOST=192.0.2.1 is not an address of this machine"),
    "a host without an address": ({"host": "nowhere.invalid"}, "is not an address of this machine"),
    "an IPv6 host of another machine": ({"host": "2001:db8::1"}, "2001:db8::1"),
    "an unknown environment": ({"environment": "prod"}, "ENVIRONMENT: "),
    "no pool": ({"database_pool_size": 0}, "DATABASE_POOL_SIZE: "),
    "a negative limit": ({"commands_per_second": -1}, "COMMANDS_PER_SECOND: "),
    "an endless life": ({"access_token_expire_minutes": "never"}, "ACCESS_TOKEN_EXPIRE_MINUTES: "),
    "an unknown level": ({"log_level": "loud"}, "LOG_LEVEL: "),
    "an origin without a scheme": (
        {"cors_origins": "chat.example.com"},
        "write it as https://chat.example.com",
    ),
    "an origin with a wildcard": ({"cors_origins": "https://*.example.com"}, "no wildcards"),
    "origins without commas": ({"cors_origins": "https://a.example https://b.example"}, "with commas"),
    "any origin with cookies": ({"cors_origins": "*", "cors_credentials": "true"}, "every web page"),
    "a proxy by its name": ({"forwarded_allow_ips": "nginx"}, "nginx is not an address or a network"),
    "a network with an address": ({"forwarded_allow_ips": "10.1.2.3/8"}, "write 10.0.0.0/8"),
    "a path as database": ({"database_url": "chat.db"}, "DATABASE_URL: not a valid database URL"),
    "two slashes": ({"database_url": "sqlite://chat.db"}, "begins after three slashes"),
    "an option of SQLite": ({"database_url": "sqlite:///chat.db?timeout=9"}, "without the option timeout"),
    "a URI of SQLite": (
        {"database_url": "sqlite:///file:x?mode=ro&uri=true"},
        "without the option mode, uri",
    ),
    "an unknown database": ({"database_url": "mongodb://localhost/chat"}, "unknown database driver mongodb"),
    "an unknown driver": ({"database_url": "postgresql+asyncpg://localhost/chat"}, "use one of sqlite"),
    "a word as the database's port": (
        {"database_url": "mysql://localhost:x/chat"},
        "not a valid database URL",
    ),
    "the database's port too large": (
        {"database_url": "mysql://localhost:99999/chat"},
        "99999 is not a port",
    ),
    "no isolation": ({"database_url": "mysql://localhost/chat?autocommit=1"}, "the option autocommit"),
    "another character set": ({"database_url": "mysql://localhost/chat?charset=latin1"}, "always utf8mb4"),
    "an unknown option": ({"database_url": "postgresql://127.0.0.1/chat?colour=red"}, "colour"),
    "an unknown argument": ({"database_url": "mysql://127.0.0.1/chat?colour=red"}, "colour"),
    "no PostgreSQL": ({"database_url": "postgresql://u:very-secret@127.0.0.1:1/chat"}, "does not answer"),
    "no MySQL": ({"database_url": "mysql://u:very-secret@127.0.0.1:1/chat"}, "does not answer"),
    "a server without a name": ({"database_url": "mariadb://u:very-secret@nowhere.invalid/c"}, "not answer"),
    "a missing folder": (
        {"database_url": "sqlite:////proc/nowhere/chat.db", "secret_key": OWN_KEY},
        "/proc/nowhere",
    ),
    "a folder that is read-only": (
        {"database_url": "sqlite:////proc/chat.db", "secret_key": OWN_KEY},
        "/proc/chat",
    ),
    "a short key": ({"secret_key": "very-secret"}, "SECRET_KEY is shorter than 32 bytes"),
    "no key in production": ({"environment": "production"}, "needs a SECRET_KEY of your own"),
    "a public key in production": (
        {"environment": "production", "secret_key": PLACEHOLDER},
        "needs a SECRET_KEY of your own",
    ),
    "a repeated letter in production": (PRODUCTION | {"secret_key": "a" * 40}, "SECRET_KEY of your own"),
    "a public previous key in production": (
        PRODUCTION | {"secret_key_previous": PLACEHOLDER},
        "SECRET_KEY_PREVIOUS",
    ),
    "a short previous key": ({"secret_key_previous": "very-secret"}, "SECRET_KEY_PREVIOUS is shorter"),
    "no key file": ({"secret_key_file": "/nowhere/key"}, "the key file /nowhere/key: No such file"),
    "a folder as key file": ({"secret_key_file": "/proc"}, "the key file /proc: Is a directory"),
    "a device as key file": ({"secret_key_file": "/dev/null"}, "/dev/null"),
    "two keys": ({"secret_key": OWN_KEY, "secret_key_file": "/nowhere/key"}, "both set"),
}


def env(content: bytes) -> Callable[[Operator], None]:
    return lambda operator: void((operator.folder / ".env").write_bytes(content))


def database(content: bytes) -> Callable[[Operator], None]:
    return lambda operator: void(operator.database.write_bytes(content))


def statements(*texts: str) -> Callable[[Operator], None]:
    """Run these on a database as the first start leaves it."""

    def run_them(operator: Operator) -> None:
        operator.creates()
        with closing(sqlite3.connect(operator.database)) as connection:
            for text in texts:
                connection.execute(text)
            connection.commit()

    return run_them


def foreign(*tables: str) -> Callable[[Operator], None]:
    def create(operator: Operator) -> None:
        with closing(sqlite3.connect(operator.database)) as connection:
            for table in tables:
                connection.execute(f"CREATE TABLE {table} (version_num TEXT)")
            if "alembic_version" in tables:
                connection.execute("INSERT INTO alembic_version VALUES ('0004')")
            connection.commit()

    return create


def key(content: bytes, mode: int) -> Callable[[Operator], None]:
    def write(operator: Operator) -> None:
        file = operator.folder / "chat.secret"
        file.write_bytes(content)
        file.chmod(mode)

    return write


def read_only(operator: Operator) -> None:
    """A file in a newer format may be read, but not written: so it is for root too."""
    operator.creates()
    with operator.database.open("r+b") as file:
        file.seek(18)
        file.write(b"\3")


def damaged(operator: Operator) -> None:
    operator.creates()
    damage(operator.database)


def lost(operator: Operator) -> None:
    operator.sets(**PRODUCTION)
    (operator.folder / "chat.db.epoch").write_text("x")


def half_restored(operator: Operator) -> None:
    with file_lock.exclusive(operator.database) as replacing:
        replacing.begin("chat.db.before-restore-test")


def void(_: object) -> None: ...


FILES: dict[str, tuple[Callable[[Operator], object], str]] = {
    ".env in UTF-16": (env("PORT=1".encode("utf-16")), ".env is UTF-16; save it as UTF-8"),
    ".env in Latin-1": (env(b"HOST=caf\xe9"), ".env is not UTF-8"),
    ".env that is half a line": (env(b"PORT=0\nSECRET_KEY='x\n"), ".env: line 2 is not a setting"),
    ".env with a colon": (env(b"PORT: 9000\n"), ".env: line 1 is not a setting"),
    ".env that is a folder": (lambda operator: (operator.folder / ".env").mkdir(), ".env is a folder"),
    ".env with a mark, which counts": (env(b"\xef\xbb\xbfLOG_LEVEL=loud\n"), "LOG_LEVEL: "),
    "a folder as database": (lambda operator: operator.database.mkdir(), "unable to open database file"),
    "a text as database": (database(b"not a database" * 1000), "is damaged"),
    "half a database": (database(b"SQLite format 3\0" + b"\xff" * 5000), "is damaged"),
    "a damaged database": (damaged, "malformed"),
    "a read-only database": (read_only, "readonly database"),
    "a newer database": (
        statements("UPDATE alembic_version SET version_num = '9999'"),
        "made by a newer version of this program, or by another one (migration 9999)",
    ),
    "a table of ours that is missing": (statements("DROP TABLE reactions"), "(reactions has no "),
    "a column that is missing": (
        statements("ALTER TABLE users RENAME COLUMN username TO login"),
        "(users has no username)",
    ),
    "tables of another program": (foreign("rooms", "users"), "so it belongs to another program"),
    "a version of another program": (foreign("users", "alembic_version"), "not those of this program"),
    "a database that was lost": (lost, "chat.db.epoch beside it tells of an earlier one"),
    "half a restore": (half_restored, "run it again: python run.py restore FILE"),
    "an empty key": (key(b"", 0o600), "chat.secret is too short"),
    "a key of 3 bytes": (key(b"abc", 0o600), "chat.secret is too short"),
    "a key for all to read": (key(OWN_KEY.encode(), 0o644), "can open the key file"),
    "a key that is no text": (key(b"\xff" * 64, 0o600), "chat.secret is not text"),
}


@pytest.fixture
def started(operator: Operator, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Start, and return what was printed after `Cannot start: `."""
    operator.sets(port=0)

    def start() -> str:
        capsys.readouterr()
        assert run.serve() == 2
        said = capsys.readouterr()
        sentences = [line for line in said.err.splitlines() if not line.startswith("{")]  # no log
        assert [line[:14] for line in sentences] == ["Cannot start: "], said.err
        assert "Traceback" not in said.err
        assert "very-secret" not in said.err
        assert said.out == ""
        return sentences[0]

    return start


@pytest.mark.parametrize("what", SETTINGS)
def test_a_wrong_setting_is_one_sentence(operator: Operator, started: Callable[[], str], what: str) -> None:
    settings, sentence = SETTINGS[what]
    operator.sets(**settings)
    assert sentence in started()


@pytest.mark.skipif(os.name != "posix", reason="file modes")
@pytest.mark.parametrize("what", FILES)
def test_a_wrong_file_is_one_sentence(operator: Operator, started: Callable[[], str], what: str) -> None:
    prepare, sentence = FILES[what]
    prepare(operator)
    assert sentence in started()


def test_a_port_in_use_is_one_sentence(operator: Operator, started: Callable[[], str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        operator.sets(port=port)
        assert f"127.0.0.1:{port} is in use by another program" in started()
        assert not operator.database.exists()


def test_a_database_that_another_program_locks_is_one_sentence(
    operator: Operator, started: Callable[[], str]
) -> None:
    operator.creates()
    with closing(sqlite3.connect(operator.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "database is locked" in started()


def test_a_defect_of_our_own_is_one_sentence_too(
    operator: Operator, started: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("room")

    monkeypatch.setattr("app.services.samples.create", fail)
    assert "KeyError: 'room' (LOG_LEVEL=debug shows where)" in started()


def test_commands_refuse_the_same_in_one_sentence(operator: Operator) -> None:
    (operator.folder / ".env").write_bytes("PORT=1".encode("utf-16"))
    operator.sets()
    done = operator.runs("users", "list")
    assert (done.status, done.err) == (2, "Refused: .env is UTF-16; save it as UTF-8")


OLD_PYTHON = "import sys; sys.version_info = (3, 10, 4, 'final', 0); sys.argv = ['run.py']; "
PROGRAMS = {
    "run.py": f"{OLD_PYTHON} import runpy; runpy.run_path('run.py', run_name='__main__')",
    "another server": f"{OLD_PYTHON} import app.main",
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_python_that_is_too_old_is_one_sentence(what: str) -> None:
    done = subprocess.run(
        (sys.executable, "-c", PROGRAMS[what]),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Cannot start: Python 3.11 or newer is needed, this is 3.10\n"


SERVERS = {
    "uvicorn": ("uvicorn", "app.main:app", "--port", "{port}"),
    "gunicorn": ("gunicorn", "app.main:app", "-k", "asgi", "-b", "127.0.0.1:{port}", "--no-control-socket"),
    "hypercorn": ("hypercorn", "app.main:app", "-b", "127.0.0.1:{port}"),
    "granian": ("granian", "--interface", "asgi", "--port", "{port}", "app.main:app"),
}


@pytest.mark.parametrize("server", SERVERS)
def test_other_servers_end_with_the_same_sentence(tmp_path: Path, server: str) -> None:
    """At the import of the application, or while it prepares its database: a newer one, here."""
    pytest.importorskip(server)
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.commit()
    port = free_port()
    command = [part.format(port=port) for part in SERVERS[server]]
    done = subprocess.run(
        (sys.executable, "-m", *command),
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'chat.db'}"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    said = done.stderr + done.stdout
    assert said.count("Cannot start: ") == 1, said
    assert "(migration 9999)" in said
    assert "Traceback" not in said
    if server != "hypercorn":  # it tells nobody how its workers ended
        assert done.returncode != 0
