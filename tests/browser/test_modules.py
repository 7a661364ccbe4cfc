"""The modules that know no DOM, in Node."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.guests import Guest, Room
from tests.support.server import ROOT, ChatServer

FOLDER = Path(__file__).parent / "js"
SCRIPTS = ROOT / "app" / "static" / "js"
UNCHECKED = re.compile(r"\{[^{}\n]*\bany\b[^{}\n]*\}|[:<|,] *any\b|@ts-(?:ignore|nocheck|expect-error)")
"""What switches the type checker off where it would help."""


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


def test_the_type_checker_looks_at_every_line_of_the_page() -> None:
    scripts = {path: path.read_text(encoding="utf-8") for path in SCRIPTS.rglob("*.[jt]s")}
    assert len(scripts) > 30
    assert {
        path.name: UNCHECKED.findall(text) for path, text in scripts.items() if UNCHECKED.search(text)
    } == {}
    for hole in "@type {any}", "@returns {Promise<any>}", "Record<string, any>", "id: any;", "// @ts-ignore":
        assert UNCHECKED.search(hole)


def test_pure_modules_and_sockets_know_no_dom_and_views_fetch_nothing() -> None:
    for folder, forbidden in {
        "store": r"\b(document|window|fetch|WebSocket|setTimeout|setInterval|Date)\b[.(]",
        "socket": r"\b(document|window|fetch)\b[.(]",
        "client": r"\b(document|window|fetch)\b[.(]",
        "views": r"\bfetch\(|\bnew WebSocket\b",
    }.items():
        modules = [*(SCRIPTS / folder).glob("*.js"), *SCRIPTS.glob(f"{folder}.js")]
        assert modules
        for module in modules:
            assert not re.search(forbidden, module.read_text(encoding="utf-8")), module


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
