"""The clients of docs/clients: the JavaScript runs against a real server, the Swift agrees with the protocol."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docs.documents import DOCS, block
from tests.protocol.document import names_in, tables
from tests.support.node import node
from tests.support.server import ChatServer
from tests.support.swift import ChatMessage, ChatRoom, LoginResponse, structs

JAVASCRIPT = block(DOCS / "clients" / "javascript.md", "js", "function chat(")
SWIFT = block(DOCS / "clients" / "swift.md", "swift", "class ChatWebSocket")
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


@pytest.fixture
def runs(own_server: ChatServer, tmp_path: Path) -> Callable[..., Any]:
    """Runs the JavaScript client in Node, and what comes after it; returns what that prints."""
    code = JAVASCRIPT.replace("localhost:8000", f"127.0.0.1:{own_server.port}")

    def run(then: str, *words: str) -> Any:
        script = tmp_path / "snippet.js"
        script.write_text(code + then)
        command = [*node(), str(script), *words]
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


def test_the_swift_structs_are_those_of_the_contract() -> None:
    contract = {struct.name: struct for struct in (LoginResponse, ChatRoom, ChatMessage)}
    assert {name: struct for name, struct in structs(SWIFT).items() if name != "Event"} == contract


def test_the_swift_client_reads_only_keys_that_events_have() -> None:
    events = {name.rstrip("?") for _, keys, _ in tables("event") for name in names_in(keys)} | {"type"}
    read = {key for key, _ in structs(SWIFT)["Event"].fields.values()}
    assert {"seq", "changed_seq", "client_id"} <= read <= events


@pytest.mark.parametrize("client", [JAVASCRIPT, SWIFT], ids=["JavaScript", "Swift"])
def test_both_clients_do_what_the_protocol_says_of_closes_and_errors(client: str) -> None:
    advice = {int(row[0]): row[2] for row in tables("code") if row[0].isdigit()}
    ends = {code for code, back in advice.items() if code >= 4000 and not back.startswith("yes")}
    [told] = re.findall(r"\[(4[\d, ]+)\]", client)
    assert {int(code) for code in told.split(",")} == ends
    [again] = re.findall(r"\[(\"[a-z_]+\"(?:, \"[a-z_]+\")*)\]\.(?:includes|contains)\(event\.code\)", client)
    assert json.loads(f"[{again}]") == ["database_unavailable", "unknown"]
