"""What a server does not do with `ENVIRONMENT=production`, and what it keeps to itself."""

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
    "everybody with cookies": ({"CORS_ORIGINS": "*", "CORS_CREDENTIALS": "true"}, "CORS_ORIGINS"),
}


def test_it_does_not_start_unsafe_and_says_why_in_one_line(tmp_path: Path) -> None:
    """All at once, since most of the time is Python's."""
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
        said, _ = process.communicate(timeout=DEADLINE)
        settings, variable = REFUSED[name]
        assert process.returncode not in (0, None), name
        assert said.startswith("Cannot start: "), name
        assert said.count("\n") == 1, said
        assert variable in said
        assert settings.get("SECRET_KEY", "nothing to hide") not in said
    assert list(tmp_path.iterdir()) == [], "nothing was made: no key, no database"


async def test_only_the_pages_that_are_named_may_call(production: ChatServer) -> None:
    """And those of the server itself; but none of the machine it runs on."""
    person = await sign_up(production, "somebody with a page")
    address = f"{production.ws}/ws?token={person.token}"
    for origin, may in (
        (PAGE, True),
        (production.url, True),
        ("http://localhost:3000", False),
        ("http://chat.example.com", False),
    ):
        async with websockets.connect(address, additional_headers={"Origin": origin}) as socket:
            if may:
                await Seat(socket).hears("ready")
            else:
                assert await Seat(socket).is_closed() == 4403
    await person.http.aclose()


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_key_that_was_made_is_for_its_owner_alone(server: ChatServer) -> None:
    key = server.folder / "chat.secret"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text()) >= 32
    assert key.read_text().strip() not in server.log.read_text()
