"""A server that cannot start says why in one sentence."""

import errno
import socket
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.core.config import ConfigurationError, Settings
from app.core.serving.server import listen
from app.core.startup import cannot_listen, check_database, misspelt
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


def test_an_unknown_kind_of_database() -> None:
    assert why("mongodb://localhost/chat") == (
        "DATABASE_URL: unknown database driver mongodb: use one of sqlite, postgres, postgresql, mysql, mariadb"
    )


def test_an_unknown_driver() -> None:
    assert why("postgresql+asyncpg://localhost/chat").startswith(
        "DATABASE_URL: unknown database driver postgresql+asyncpg: use one of"
    )


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


def test_a_misspelt_setting_is_found_and_unrelated_names_are_ignored(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "ENVIROMENT=production\nsecret_keys=x\nPORT=1\nWEB_CONCURRENCY=4\nCOMPOSE_PROJECT_NAME=chat\n"
    )
    assert list(misspelt(file)) == [("ENVIROMENT", "ENVIRONMENT"), ("SECRET_KEYS", "SECRET_KEY")]
    assert list(misspelt(tmp_path / "no such file")) == []
