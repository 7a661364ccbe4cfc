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
from tests.support.server import ROOT, ChatServer, wait_until
from tests.support.swift import ChatMessage, ChatRoom, LoginResponse, structs

JAVASCRIPT = DOCS / "clients" / "javascript.md"
EXAMPLE, TOKEN, MOUNT = (
    block(JAVASCRIPT, "js", start)
    for start in ("new ChatSocket({\n  url", "async function freshToken", "function mount(")
)
SWIFT = block(DOCS / "clients" / "swift.md", "swift", "class ChatWebSocket")
BEFORE = """
import { ChatSocket } from "SOCKET";
const [base, username] = process.argv.slice(2);
const post = async (path, body) =>
  (await fetch(base + path, { method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify(body) })).json();
let tokens = await post("/api/auth/login", { username, password: "password123" });
const failed = (why) => { console.log(why); process.exit(1); };
setTimeout(() => failed("nothing more"), 45_000).unref();
"""
TALK = """
const heard = [], refusals = [];
const reload = () => failed("truncated"), refused = (event) => refusals.push(event.code);
const status = (phase, reason) => phase === "signed-out" && reason && failed(reason);
function show(event) {
  heard.push(event.message);
  if (event.message !== "Hello") return finish();
  chat.drop();
  chat.say(1, "while away 1");
  chat.say(1, "x".repeat(8001));
  chat.say(1, "while away 2");
}
function finish() {
  if (heard.length < 3 || !refusals.length) return;
  chat.close();
  console.log(JSON.stringify([heard, refusals]));
}
"""
SIXTY_MOUNTS = """
globalThis.addEventListener = globalThis.removeEventListener = () => {};
globalThis.document = globalThis;
let ready = 0;
const onEvent = (event) => (ready += event.type === "ready");
const unmounts = [];
for (let number = 0; number < 60; number += 1) {
  const unmount = mount(1);
  if (number % 3) unmount(); // before it was ready
  else unmounts.push(unmount);
}
const timer = setInterval(() => {
  if (ready < unmounts.length) return;
  clearInterval(timer);
  for (const unmount of unmounts) unmount();
  console.log(JSON.stringify(ready));
}, 20);
"""
RENEWED = """
const heard = [];
const onEvent = (event) => {
  if (event.type === "message") heard.push(event.message);
  if (event.type === "ready" && !heard.length) chat.say(1, "before");
  if (event.type === "message" && heard.length === 1) void endLogin();
  if (heard.length === 3) { chat.close(); console.log(JSON.stringify(heard)); }
};
async function endLogin() {
  const login = await post("/api/auth/login", { username, password: "password123" });
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  await fetch(`${base}/api/auth/logout`, { method: "POST", headers }); // closes with 4401
  tokens = login;
  chat.say(1, "after 1");
  chat.say(1, "after 2");
}
const chat = new ChatSocket({ url: base.replace("http", "ws"), token: freshToken, onEvent });
chat.subscribe(1);
chat.open();
"""


@pytest.fixture
def runs(own_server: ChatServer, tmp_path: Path) -> Callable[..., Any]:
    """Runs JavaScript of the document in Node, in one module; returns what it prints before it ends by itself."""

    def run(*parts: str) -> Any:
        code = "\n".join((BEFORE, *parts)).replace("localhost:8000", f"127.0.0.1:{own_server.port}")
        code = code.replace("SOCKET", (ROOT / "app/static/js/socket.js").as_uri())
        script = tmp_path / "client.mjs"
        script.write_text(re.sub(r'^import .* from "\./app.*$', "", code, flags=re.MULTILINE))
        command = [*node(), str(script), own_server.url, "user1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


def test_the_javascript_comes_back_and_loses_nothing_and_keeps_the_order(runs: Callable[..., Any]) -> None:
    heard, refused = runs(TALK, TOKEN, EXAMPLE)
    assert heard == ["Hello", "while away 1", "while away 2"]
    assert refused == ["invalid_command"]


def test_sixty_components_that_come_and_go_leave_no_socket(
    own_server: ChatServer, runs: Callable[..., Any]
) -> None:
    assert runs(TOKEN, MOUNT, SIXTY_MOUNTS) == 20
    login = {"username": "user2", "password": "password123"}
    token = httpx.post(f"{own_server.url}/api/auth/login", json=login).json()["access_token"]
    presence, headers = f"{own_server.url}/api/rooms/1/presence", {"authorization": f"Bearer {token}"}
    wait_until(lambda: httpx.get(presence, headers=headers).json()["count"] == 0, "every socket closed")


def test_a_login_that_ends_loses_nothing(runs: Callable[..., Any]) -> None:
    assert runs(TOKEN, RENEWED) == ["before", "after 1", "after 2"]


def test_the_swift_structs_are_those_of_the_contract() -> None:
    contract = {struct.name: struct.fields for struct in (LoginResponse, ChatRoom, ChatMessage)}
    mine = {name: dict(struct.fields) for name, struct in structs(SWIFT).items() if name != "Event"}
    assert mine["ChatMessage"].pop("id") == ("id", "Int"), "else no List shows them"
    assert mine == contract


def test_the_swift_client_reads_only_keys_that_events_have() -> None:
    events = {name.rstrip("?") for _, keys, _ in tables("event") for name in names_in(keys)} | {"type"}
    read = {key for key, _ in structs(SWIFT)["Event"].fields.values()}
    assert {"seq", "changed_seq", "client_id"} <= read <= events


def test_the_swift_client_does_what_the_protocol_says_of_closes_and_errors() -> None:
    advice = {int(row[0]): row[2] for row in tables("code") if row[0].isdigit()}
    ends = {code for code, back in advice.items() if code >= 4000 and not back.startswith("yes")}
    [told] = re.findall(r"\[(4[\d, ]+)\]", SWIFT)
    [renewed] = re.findall(r"code == (4\d+)", SWIFT)
    assert {int(code) for code in [*told.split(","), renewed]} == ends
    [again] = re.findall(r"\[(\"[a-z_]+\"(?:, \"[a-z_]+\")*)\]\.contains\(event\.code\)", SWIFT)
    assert json.loads(f"[{again}]") == ["database_unavailable", "unknown"]
