"""What the README says to type works as it stands there."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import ROOT, ChatServer

README = (ROOT / "README.md").read_text()
AFTER = """
const heard = [], refused = [];
const failed = (why) => { console.log(why + " after " + JSON.stringify(heard)); process.exit(1); };
const talk = chat(1, process.argv[2], {
  message(event) {
    heard.push(event.message);
    if (heard.length === 1) { talk.drop(); talk.say("while away"); talk.say("x".repeat(8001)); }
    if (heard.length === 2) talk.drop(); // what was refused is not sent again
    if (heard.length === 2) talk.say("and again");
    if (heard.length === 3) setTimeout(() => { console.log(JSON.stringify([heard, refused])); process.exit(0); }, 300);
  },
  refused: (event) => refused.push(event.code),
  truncated: () => failed("truncated"),
  closed: (code, reason) => failed(`closed with ${code}: ${reason}`),
});
setTimeout(() => talk.say("first"), 300);
setTimeout(() => failed("nothing more"), 30000);
"""
ENDED = """
chat(1, "no token", { closed(code, reason) { console.log(JSON.stringify([code, reason])); process.exit(0); } });
setTimeout(() => process.exit(1), 30000);
"""


def block(language: str, holding: str) -> str:
    """The code block of this language that holds this."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return next(code for code in blocks if holding in code)


def test_the_api_in_five_minutes(own_server: ChatServer) -> None:
    script = block("sh", "curl -s localhost:8000").replace("localhost:8000", f"127.0.0.1:{own_server.port}")
    done = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, check=True, timeout=60)
    documents = [json.loads(line) for line in re.sub(r"(?<=[}\]])(?=[{\[])", "\n", done.stdout).splitlines()]
    user, rooms, room, message, recent = documents
    assert user["username"] == "testuser"
    assert {"General", "Random", "Tech Talk"} <= {one["name"] for one in rooms}
    assert room["name"] == "My New Room"
    assert recent == [message]
    assert message["message"] == "Hello from curl"


@pytest.fixture
def runs(own_server: ChatServer, tmp_path: Path) -> Callable[..., Any]:
    """Runs the snippet in Node, and what comes after it; returns what that prints."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine")
    code = block("js", "function chat(").replace("localhost:8000", f"127.0.0.1:{own_server.port}")

    def run(then: str, *words: str) -> Any:
        script = tmp_path / "snippet.js"
        script.write_text(code + then)
        command = [node, "--experimental-websocket", str(script), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


def test_the_javascript_comes_back_and_loses_nothing(
    own_server: ChatServer, runs: Callable[..., Any]
) -> None:
    login = {"username": "user1", "password": "password123"}
    token = httpx.post(f"{own_server.url}/api/auth/login", json=login).json()["access_token"]
    heard, refused = runs(AFTER, token)
    assert heard == ["first", "while away", "and again"]
    assert refused == ["invalid_command"]


def test_the_javascript_says_why_it_does_not_come_back(runs: Callable[..., Any]) -> None:
    assert runs(ENDED) == [4401, "The token is missing, wrong or expired."]
