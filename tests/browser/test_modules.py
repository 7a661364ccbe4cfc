"""The modules that know no DOM, in Node."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.guests import Guest, Room
from tests.support.server import ChatServer

FOLDER = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def node() -> str:
    program = shutil.which("node")
    if program is None and os.environ.get("CI"):
        pytest.fail("CI has no node")
    if program is None:
        pytest.skip("there is no node on this machine (Debian: apt install nodejs)")
    return program


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_store_and_the_socket_keep_their_promises(node: str) -> None:
    files = sorted(str(file) for file in FOLDER.glob("*.test.mjs"))
    assert files
    run(node, "--test", *files)


def test_the_socket_talks_and_comes_back_without_a_browser(
    node: str, server: ChatServer, ann: Guest, parlour: Room
) -> None:
    # Node 22 has WebSocket; the flag gives it to Node 20.
    script = str(FOLDER / "talk.mjs")
    heard = run(node, "--experimental-websocket", script, server.ws, ann.token, str(parlour.id))
    assert json.loads(heard) == ["hello from Node", "and again, after the tunnel"]
    assert ann.history(parlour) == ["hello from Node", "and again, after the tunnel"]
