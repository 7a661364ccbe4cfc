"""What the README says to type works as it stands there."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.server import ROOT, ChatServer

README = (ROOT / "README.md").read_text()
AFTER = """
const heard = [];
const talk = chat(1, process.argv[2], (event) => {
  heard.push(event.message);
  if (heard.length === 1) { talk.drop(); talk.say("while away"); }
  if (heard.length === 2) { console.log(JSON.stringify(heard)); process.exit(0); }
}, () => {});
setTimeout(() => talk.say("first"), 300);
setTimeout(() => { console.log("only " + JSON.stringify(heard)); process.exit(1); }, 30000);
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


def test_the_javascript_comes_back_and_loses_nothing(own_server: ChatServer, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine")
    script = tmp_path / "snippet.js"
    code = block("js", "function chat(").replace("localhost:8000", f"127.0.0.1:{own_server.port}")
    script.write_text(code + AFTER)
    login = {"username": "user1", "password": "password123"}
    token = httpx.post(f"{own_server.url}/api/auth/login", json=login).json()["access_token"]
    command = [node, "--experimental-websocket", str(script), token]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == ["first", "while away"]
