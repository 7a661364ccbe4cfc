"""The modules of the page that use no DOM, in Node.js."""

import json
import re
import subprocess
from pathlib import Path

from tests.browser.rest_users import RestUser, Room
from tests.support.node import node
from tests.support.server import ROOT, ChatServer

FOLDER = Path(__file__).parent / "js"
SCRIPTS = ROOT / "app" / "static" / "js"
UNCHECKED = re.compile(r"\{[^{}\n]*\bany\b[^{}\n]*\}|[:<|,] *any\b|@ts-(?:ignore|nocheck|expect-error)")
"""Annotations and comments that switch the type checker off."""


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_no_line_of_the_page_escapes_the_type_checker() -> None:
    scripts = {path: path.read_text(encoding="utf-8") for path in SCRIPTS.rglob("*.[jt]s")}
    assert len(scripts) > 30
    assert {
        path.name: UNCHECKED.findall(text) for path, text in scripts.items() if UNCHECKED.search(text)
    } == {}
    for escape in (
        "@type {any}",
        "@returns {Promise<any>}",
        "Record<string, any>",
        "id: any;",
        "// @ts-ignore",
    ):
        assert UNCHECKED.search(escape)


def test_pure_modules_and_sockets_use_no_dom_and_views_never_fetch() -> None:
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


def test_the_javascript_unit_tests_pass() -> None:
    files = sorted(str(file) for file in FOLDER.glob("*.test.mjs"))
    assert files
    run(*node(), "--test", *files)


def test_the_socket_module_sends_and_reconnects_in_node(
    server: ChatServer, ann: RestUser, parlour: Room
) -> None:
    script = str(FOLDER / "send_and_reconnect.mjs")
    received = run(*node(), script, server.ws, ann.token, str(parlour.id))
    assert json.loads(received) == ["hello from Node", "hello again after reconnecting"]
    assert ann.history(parlour) == ["hello from Node", "hello again after reconnecting"]
