"""The document's section «Configuration»: its `.env`, as written there, in a copy of the project."""

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
    """The project as it is cloned, and the document's `.env`."""
    for folder in ("app", "migrations"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "run.py", tmp_path)
    (tmp_path / ".env").write_text(DOTENV)
    return tmp_path


@pytest.fixture
def address(clone: Path) -> Iterator[str]:
    """A server that knows nothing but the document's `.env` (and a free port)."""
    ours = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
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
        wait_until(lambda: _listens(port), f"listening; its log: {(clone / 'server.log').read_text()}")
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
    assert (clone / "chat.db").exists(), "the path is the project's, not the caller's"
    assert not (clone / "chat.secret").exists(), "with a key of one's own none is made"


@pytest.mark.parametrize("name", ["DATABASE_URL", "SECRET_KEY", "ACCESS_TOKEN_EXPIRE_MINUTES"])
def test_the_example_has_the_document_s_variables(name: str) -> None:
    assert f"{name}=" in (ROOT / ".env.example").read_text()


def test_the_application_uses_sqlite_by_default() -> None:
    assert Settings(_env_file=None).database_url == "sqlite:///./chat.db"


def test_configuration_is_in_app_core_config_py() -> None:
    assert (ROOT / "app" / "core" / "config.py").is_file()
