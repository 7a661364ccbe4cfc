"""`python run.py doctor`: a sound installation is fine, and each harm is found."""

import resource
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.core.config import get_settings
from app.core.database import file_lock
from app.operator.doctor import installation
from tests.operator.conftest import Operator
from tests.operator.test_backup import damage

OWN_KEY = secrets.token_urlsafe(48)
YEAR_2100 = 4_102_444_800_000


@pytest.fixture
def operator(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An installation in production as `docs/deploy.md` makes it."""
    operator.creates()
    with closing(sqlite3.connect(operator.database)) as connection:
        connection.execute("UPDATE users SET password_hash = 'none'")
        connection.commit()
    operator.database.chmod(0o600)
    operator.sets(environment="production", secret_key=OWN_KEY, cors_origins="https://chat.example.com")
    return operator


def harms(operator: Operator, *options: str) -> str:
    """What is said to harm. The exit status must agree."""
    done = operator.runs("doctor", *options)
    lines = done.out.split("harm ")[1:]
    assert done.status == bool(lines), done.out
    return " ".join(lines)


def test_an_installation_as_the_document_makes_it_is_fine(operator: Operator) -> None:
    done = operator.runs("doctor")
    assert done.status == 0, done.out
    assert "Nothing harms this installation." in done.out
    for subject in ("key", "files", "disk", "quick_check", "tables", "clock", "accounts", "origins", "proxy"):
        assert f"fine {subject} " in done.out, subject


def test_a_new_folder_in_development_is_fine_and_nothing_is_created(operator: Operator) -> None:
    folder = operator.folder / "new"
    folder.mkdir()
    operator.sets(
        environment="development",
        secret_key="",
        cors_origins="",
        database_url=f"sqlite:///{folder / 'chat.db'}",
    )
    assert harms(operator) == ""
    assert list(folder.iterdir()) == []


def test_development_may_have_what_production_may_not(operator: Operator) -> None:
    operator.database.unlink()
    operator.sets(environment="development", secret_key="", cors_origins="*")
    operator.creates()
    operator.database.chmod(0o644)
    assert harms(operator) == ""
    found = harms(operator, "--production")
    for sentence in (
        "needs a SECRET_KEY of your own",
        "other users of this machine can open",
        "the passwords of admin, user1, user2 are public",
        "CORS_ORIGINS=* lets every web page call",
    ):
        assert sentence in found


SETTINGS = {
    "a short key": ({"secret_key": "too short"}, "SECRET_KEY is shorter than 32 bytes"),
    "an origin without a scheme": (
        {"cors_origins": "chat.example.com"},
        "write it as https://chat.example.com",
    ),
    "the origin of every page": ({"cors_origins": "null"}, "lets every web page call"),
    "an origin in the open": ({"cors_origins": "http://chat.example.com"}, "is not encrypted"),
    "any proxy": ({"forwarded_allow_ips": "*", "host": "0.0.0.0"}, "lets every client choose its address"),
    "a wrong setting": ({"port": "many"}, "PORT: "),
    "no database server": ({"database_url": "postgresql://127.0.0.1:1/chat"}, "the database does not answer"),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_a_harmful_setting_is_found(operator: Operator, what: str) -> None:
    settings, sentence = SETTINGS[what]
    operator.sets(**settings)
    assert sentence in harms(operator)


def test_a_line_of_env_that_does_nothing_is_found(operator: Operator) -> None:
    env = operator.folder / ".env"
    env.write_text("CORS_ORIGNS=https://a.example")
    env.chmod(0o600)
    assert ".env: CORS_ORIGNS is unknown; did you mean CORS_ORIGINS?" in harms(operator)


def test_a_misspelt_name_in_the_environment_is_found(operator: Operator) -> None:
    operator.sets(enviroment="production")
    assert "environment: ENVIROMENT is unknown; did you mean ENVIRONMENT?" in harms(operator)


def test_a_file_of_settings_that_cannot_be_read_is_found(operator: Operator) -> None:
    (operator.folder / ".env").write_bytes("PORT=1".encode("utf-16"))
    get_settings.cache_clear()
    assert "is UTF-16" in harms(operator)


def test_the_proxies_of_env_are_believed(operator: Operator) -> None:
    env = operator.folder / ".env"
    env.write_text("FORWARDED_ALLOW_IPS=10.0.0.1")
    env.chmod(0o600)
    get_settings.cache_clear()
    assert harms(operator) == ""
    assert "X-Forwarded-For is taken from 10.0.0.1 only" in operator.runs("doctor").out


def set_version(operator: Operator, version: str) -> None:
    with closing(sqlite3.connect(operator.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()


def test_tables_that_are_newer_than_the_program_are_found(operator: Operator) -> None:
    set_version(operator, "9999")
    assert "newer version of this program (migration 9999)" in harms(operator)


def test_tables_that_are_older_are_noted(operator: Operator) -> None:
    set_version(operator, "0001")
    assert harms(operator) == ""
    assert "the next start brings them up to date" in operator.runs("doctor").out


def test_tables_of_another_program_are_found(operator: Operator) -> None:
    operator.database.unlink()
    with closing(sqlite3.connect(operator.database)) as connection:
        connection.execute("CREATE TABLE users (id)")
    operator.database.chmod(0o600)
    assert "is not a database of this program" in harms(operator)


def test_a_damaged_database_is_found(operator: Operator) -> None:
    damage(operator.database)
    assert "is damaged" in harms(operator)


def test_an_interrupted_restore_is_found(operator: Operator) -> None:
    with file_lock.exclusive(operator.database) as replacing:
        replacing.begin("chat.db.before-restore-test")
    assert "run it again" in harms(operator)


def test_a_clock_that_was_set_back_is_found(operator: Operator) -> None:
    with closing(sqlite3.connect(operator.database)) as connection:
        connection.execute(
            "INSERT INTO sessions VALUES ('s', 1, ?, ?, ?, NULL, '')", (YEAR_2100, YEAR_2100, YEAR_2100)
        )
        connection.commit()
    assert "in the future; set this machine's clock" in harms(operator)


def test_a_disk_that_is_nearly_full_is_found(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "MIN_FREE_BYTES", 1 << 62)
    assert "the server needs" in harms(operator)


def test_a_generated_key_that_is_too_short_is_found(operator: Operator) -> None:
    file = operator.folder / "chat.secret"
    file.write_text("abc")
    file.chmod(0o600)
    operator.sets(environment="development", secret_key="")
    assert "chat.secret is too short" in harms(operator)


def test_too_few_files_are_found(operator: Operator) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    try:
        found = harms(operator)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert "only 512 files and sockets can be open" in found


def test_a_check_that_fails_does_not_hide_the_others(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: Path) -> None:
        raise OSError("the disk hangs")

    monkeypatch.setattr("app.operator.doctor.installation.shutil.disk_usage", fail)
    found = harms(operator)
    assert "disk cannot be checked: OSError('the disk hangs')" in found
    assert "fine accounts" in operator.runs("doctor").out
