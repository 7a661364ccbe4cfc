"""A production server refuses unsafe settings and foreign origins, and keeps its key private."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import websockets

from tests.support.people import Seat, sign_up
from tests.support.server import DEADLINE, ROOT, ChatServer

PAGE = "https://chat.example.com"

REFUSED = {
    "no key": ({"ENVIRONMENT": "production"}, "SECRET_KEY"),
    "a short key": ({"ENVIRONMENT": "production", "SECRET_KEY": "x" * 31}, "SECRET_KEY"),
    "the document's key": (
        {"ENVIRONMENT": "production", "SECRET_KEY": "your-secret-key-change-this-in-production"},
        "SECRET_KEY",
    ),
    "any origin with cookies": ({"CORS_ORIGINS": "*", "CORS_CREDENTIALS": "true"}, "CORS_ORIGINS"),
}


def test_a_server_with_unsafe_settings_does_not_start_and_says_why_in_one_line(tmp_path: Path) -> None:
    """All cases run in parallel, since starting Python takes most of the time."""
    started = {}
    for name, (settings, _) in REFUSED.items():
        environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/chat.db", "PORT": "0"} | settings
        started[name] = subprocess.Popen(
            (sys.executable, str(ROOT / "run.py")),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    for name, process in started.items():
        output, _ = process.communicate(timeout=DEADLINE)
        settings, variable = REFUSED[name]
        assert process.returncode not in (0, None), name
        assert output.startswith("Cannot start: "), name
        assert output.count("\n") == 1, output
        assert variable in output
        assert settings.get("SECRET_KEY", "nothing to hide") not in output
    assert list(tmp_path.iterdir()) == [], "no key and no database was created"


async def test_only_pages_of_configured_origins_may_open_a_socket(production: ChatServer) -> None:
    """And the server's own pages, but no other pages of the same machine."""
    person = await sign_up(production, "page author")
    address = f"{production.ws}/ws?token={person.token}"
    for origin, is_allowed in (
        (PAGE, True),
        (production.url, True),
        ("http://localhost:3000", False),
        ("http://chat.example.com", False),
    ):
        async with websockets.connect(address, additional_headers={"Origin": origin}) as socket:
            if is_allowed:
                await Seat(socket).hears("ready")
            else:
                assert await Seat(socket).is_closed() == 4403
    await person.http.aclose()


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_generated_key_is_readable_by_its_owner_only(server: ChatServer) -> None:
    key = server.folder / "chat.secret"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text()) >= 32
    assert key.read_text().strip() not in server.log.read_text()
