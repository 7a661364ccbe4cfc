"""What the README says to type works as it stands there."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.documents import block
from tests.support.node import node
from tests.support.server import ROOT, ChatServer

README = ROOT / "README.md"
DOTENV = """
DATABASE_URL=sqlite:///./chat.db
SECRET_KEY=your-secret-key-change-this-in-production
ACCESS_TOKEN_EXPIRE_MINUTES=1440
"""


def test_the_api_in_five_minutes(own_server: ChatServer) -> None:
    script = block(README, "sh", "curl -s localhost:8000").replace(
        "localhost:8000", f"127.0.0.1:{own_server.port}"
    )
    done = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, check=True, timeout=60)
    documents = [json.loads(line) for line in re.sub(r"(?<=[}\]])(?=[{\[])", "\n", done.stdout).splitlines()]
    user, rooms, room, message, recent = documents
    assert user["username"] == "testuser"
    assert {"General", "Random", "Tech Talk"} <= {one["name"] for one in rooms}
    assert room["name"] == "My New Room"
    assert recent == [message]
    assert message["message"] == "Hello from curl"


def test_ten_lines_of_javascript(own_server: ChatServer, tmp_path: Path) -> None:
    code = block(README, "js", "new ChatSocket(")
    assert len(code.splitlines()) == 10
    script = tmp_path / "chat.mjs"
    (tmp_path / "app").symlink_to(ROOT / "app")
    script.write_text(code.replace("localhost:8000", f"127.0.0.1:{own_server.port}"))
    with subprocess.Popen([*node(), str(script)], stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        try:
            assert client.stdout.readline() == "user1: Hello from JavaScript\n"
        finally:
            client.kill()


@pytest.mark.parametrize(
    "promise",
    [
        "pip install -r requirements.txt",
        "http://localhost:8000",
        "/docs",
        "/test",
        "/health",
        "`admin` / `admin123`",
        "`user1` / `password123`",
        "`user2` / `password123`",
        "General, Random and Tech Talk",
        "/ws/chat/{room}?token=",
        DOTENV,
        "DATABASE_URL=postgresql://",
        "uvicorn app.main:app --reload --host 0.0.0.0 --port 8000",
    ],
)
def test_it_still_tells_what_the_first_document_told(promise: str) -> None:
    """The contract itself is in tests/contract; a newcomer has to find it."""
    assert promise in README.read_text()
