"""The section "Configuration" of the document: its `.env`, as written there, in a copy of the project."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest

from app.core.config import Settings
from tests.support.server import DEADLINE, ROOT, free_port, wait_until

DOTENV = """
DATABASE_URL=sqlite:///./chat.db
SECRET_KEY=your-secret-key-change-this-in-production
ACCESS_TOKEN_EXPIRE_MINUTES=1440
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh copy of the project with the document's `.env`."""
    for folder in ("app", "migrations"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "run.py", tmp_path)
    (tmp_path / ".env").write_text(DOTENV)
    return tmp_path


@pytest.fixture
def address(clone: Path) -> Iterator[str]:
    """The address of a server configured by the document's `.env` and a free port alone."""
    settings = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    port = free_port()
    with (clone / "server.log").open("wb") as log:
        server = subprocess.Popen(
            (sys.executable, "run.py"),
            cwd=clone,
            env=environment | {"PORT": str(port)},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: _listens(port), f"listening; log: {(clone / 'server.log').read_text()}")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(DEADLINE)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_three_environment_variables_are_enough(address: str, clone: Path) -> None:
    with httpx.Client(base_url=address, timeout=DEADLINE) as http:
        answer = http.post("/api/auth/login", json={"username": "user1", "password": "password123"})
        assert answer.status_code == 200
        grant = answer.json()
    assert grant["expires_in"] == 1440 * 60
    claims = jwt.decode(grant["access_token"], "your-secret-key-change-this-in-production", ["HS256"])
    assert claims["exp"] - claims["iat"] == 1440 * 60
    assert (clone / "chat.db").exists(), "the path is relative to the project, not to the working directory"
    assert not (clone / "chat.secret").exists(), "no key is generated when one is set"


@pytest.mark.parametrize("name", ["DATABASE_URL", "SECRET_KEY", "ACCESS_TOKEN_EXPIRE_MINUTES"])
def test_the_example_file_has_the_variables_of_the_document(name: str) -> None:
    assert f"{name}=" in (ROOT / ".env.example").read_text()


def test_the_application_uses_sqlite_by_default() -> None:
    assert Settings(_env_file=None).database_url == "sqlite:///./chat.db"


def test_configuration_is_in_app_core_config_py() -> None:
    assert (ROOT / "app" / "core" / "config.py").is_file()
