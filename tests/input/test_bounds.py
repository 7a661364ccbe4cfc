"""No answer and no frame is larger than 1.1 MB, whatever the server holds, and every list can be read to its end."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from app.core.config import Settings
from app.main import create_app
from app.schemas.asyncapi.examples import COMMAND_EXAMPLES
from app.services.ledger.listed_reactions import MAX_USERS
from app.services.reactions import MAX_EMOJI
from tests.input.full_server import EVERYBODY, FULL_MESSAGES, LONGEST_TEXT, MESSAGES, ROOMS, fill
from tests.reliability.crowd import KEY, add_members
from tests.support.server import DEADLINE, ChatServer

MAX_BYTES = 1_100_000
MAX_EVENT_BYTES = 256 << 10
PREVIEW = 200
OPENAPI = create_app(Settings(secret_key=KEY)).openapi()
OPERATIONS = [
    (method, path, operation)
    for path, operations in OPENAPI["paths"].items()
    for method, operation in operations.items()
]
pytestmark = pytest.mark.xdist_group("bounds")  # one full server for all


class Full:
    """A full server, with as many logins as there are operations."""

    def __init__(self, server: ChatServer, room: int, tokens: list[str]) -> None:
        self.server = server
        self.room = room
        self.tokens = tokens
        self.http = httpx.Client(base_url=server.url, timeout=DEADLINE)
        self.headers = self.login()

    def login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens.pop()}"}

    def pages(self, path: str, rel: str = "next", **params: Any) -> Iterator[Any]:
        """The JSON of this page and all that are linked from it. Each is bounded."""
        url: str | None = path
        while url:
            answer = self.gets(url, **params)
            yield answer.json()
            url, params = answer.links.get(rel, {}).get("url"), {}

    def gets(self, url: str, **params: Any) -> httpx.Response:
        """A bounded answer. On a busy machine the server may ask to try again."""
        end = time.monotonic() + DEADLINE
        while True:
            answer = self.http.get(url, params=params or None, headers=self.headers)
            assert len(answer.content) <= MAX_BYTES, url
            if answer.status_code != 503 or time.monotonic() > end:
                break
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    with ChatServer(tmp_path_factory.mktemp("full"), (), secret_key=KEY) as server:
        room = fill(server, "user1")
        yield Full(server, room, add_members(server, room, 2 * len(OPERATIONS) + 5))


@pytest.mark.parametrize(
    "method, path, operation", OPERATIONS, ids=[f"{method} {path}" for method, path, _ in OPERATIONS]
)
def test_every_answer_is_bounded(full: Full, method: str, path: str, operation: dict[str, Any]) -> None:
    """Asked for as much as the document allows."""
    params: dict[str, Any] = {
        one["name"]: most(one["schema"]) for one in operation.get("parameters", ()) if one["in"] == "query"
    }
    wanted = {name: value for name, value in params.items() if value is not None}
    sizes = []
    for query in ({}, wanted):
        address = path.format(room_id=full.room, message_id=MESSAGES, session_id="unknown")
        answer = full.http.request(
            method, address, params=query, headers=full.login(), **body_of(operation, method)
        )
        assert answer.status_code < 500, answer.text
        sizes.append(len(answer.content))
    assert max(sizes) <= MAX_BYTES


def most(schema: dict[str, Any]) -> int | None:
    """The limit of a number; None, to leave it out, where a value would ask for less."""
    limit: int | None = schema.get("maximum")
    return limit if schema.get("type") == "integer" and "minimum" in schema else None


def body_of(operation: dict[str, Any], method: str) -> dict[str, Any]:
    """A body with texts as long as they may be."""
    if method == "get" or "requestBody" not in operation:
        return {}
    ((kind, content),) = operation["requestBody"]["content"].items()
    schema = OPENAPI["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[-1]]
    texts = {
        name: "x" * field.get("maxLength", 8)
        for name, field in schema["properties"].items()
        if field.get("type") == "string"
    }
    return {"json": texts} if kind == "application/json" else {"data": texts}


async def test_every_frame_is_bounded(full: Full) -> None:
    token = full.tokens.pop()
    kinds: set[str] = set()
    async with websockets.connect(f"{full.server.ws}/ws?token={token}", max_size=None) as socket:
        for example in COMMAND_EXAMPLES:
            command = example | ({} if example["type"] in ("ping", "auth") else {"room_id": full.room})
            command |= {"id": MESSAGES} if "id" in example else {}
            command |= {"since": 0, "epoch": None} if example["type"] == "subscribe" else {}
            await socket.send(json.dumps({key: one for key, one in command.items() if one is not None}))
        await socket.send(json.dumps({"type": "ping", "ref": "last"}))
        frame: dict[str, Any] = {}
        while frame.get("ref") != "last":
            data = await socket.recv()
            assert len(data) <= MAX_EVENT_BYTES
            frame = json.loads(data)
            kinds.add(frame["type"])
    assert {"ack", "error", "synced", "message", "message.updated"} <= kinds


async def test_a_reconnecting_client_gets_everything_in_bounded_frames(full: Full) -> None:
    address = f"{full.server.ws}/ws/chat/{full.room}?token={full.tokens.pop()}&since=0"
    made: set[int] = set()
    updated: set[int] = set()
    async with websockets.connect(address, max_size=None) as socket:
        frame: dict[str, Any] = {}
        while frame.get("type") != "synced":
            data = await socket.recv()
            assert len(data.encode() if isinstance(data, str) else data) <= MAX_EVENT_BYTES
            frame = json.loads(data)
            ids = {"message": made, "message.updated": updated}.get(frame["type"])
            if ids is not None:
                ids.add(frame["id"])
    assert not frame["truncated"]
    assert made >= set(range(1, MESSAGES + 1))
    assert updated >= set(range(1, MESSAGES + 1))


def test_the_list_of_rooms_is_cut_and_links_to_the_rest(full: Full) -> None:
    pages = list(full.pages("/api/rooms"))
    rooms = [room for page in pages for room in page]
    assert len(pages) > 2, "a thousand of these rooms do not fit into one answer"
    assert len({room["id"] for room in rooms}) == len(rooms) >= ROOMS
    assert [room["id"] for room in rooms] == sorted(room["id"] for room in rooms)
    quiet = full.room + 1
    last = next(room for room in rooms if room["id"] == quiet)["last_message"]
    assert last["message"] == LONGEST_TEXT[:PREVIEW]
    assert "reactions" not in last
    alone = full.http.get(f"/api/rooms/{quiet}", headers=full.headers).json()
    assert alone["last_message"] == last


@pytest.mark.parametrize("limit", [1, 200])
def test_the_history_is_cut_and_links_to_the_rest(full: Full, limit: int) -> None:
    path = f"/api/messages/{full.room}"
    forward = list(full.pages(path, after=MESSAGES - 40 if limit == 1 else 0, limit=limit))
    assert forward[-1] == [], "there may always be a next page"
    ids = [message["id"] for page in forward for message in page]
    assert ids == list(range(ids[0], ids[-1] + 1))
    assert ids[-1] >= MESSAGES
    backward = list(full.pages(path, "prev", limit=limit)) if limit > 1 else []
    found = [message["id"] for page in reversed(backward) for message in page]
    assert found == list(range(1, len(found) + 1))
    assert {message["message"] for page in forward for message in page if message["id"] <= MESSAGES} == {
        LONGEST_TEXT
    }


def test_the_recent_messages_are_cut_and_link_to_older_ones(full: Full) -> None:
    pages = list(full.pages(f"/api/messages/{full.room}/recent", "prev", limit=200))
    found = [message["id"] for page in reversed(pages) for message in page]
    assert len(pages[0]) < 200
    assert found == list(range(1, len(found) + 1))
    assert len(found) >= MESSAGES


def test_changes_are_cut_and_go_on(full: Full) -> None:
    since, answers = 0, 0
    made: set[int] = set()
    while True:
        page = full.gets(f"/api/messages/{full.room}/changes", since=since).json()
        answers += 1
        made |= {event["id"] for event in page["changes"] if event["type"] == "message"}
        since = page["seq"]
        if not page["truncated"]:
            break
    assert made >= set(range(1, MESSAGES + 1))
    assert answers > 10


def test_a_message_lists_the_first_users_and_the_address_of_reactions_has_all(full: Full) -> None:
    address = f"/api/messages/{full.room}"
    newest = MESSAGES - FULL_MESSAGES + 1
    (message,) = next(full.pages(address, after=newest - 1, limit=1))
    reactions = message["reactions"]
    assert len(reactions) == MAX_EMOJI
    assert {reaction["count"] for reaction in reactions} == {EVERYBODY}
    assert len(reactions[0]["users"]) == MAX_USERS, (
        "there is room for names as long as these, but not for all"
    )
    assert len(json.dumps(message, ensure_ascii=False).encode()) <= MAX_EVENT_BYTES
    entries = [entry for page in full.pages(f"{address}/{newest}/reactions") for entry in page]
    assert len(entries) == MAX_EMOJI * EVERYBODY
    assert [entry["user"] for entry in entries[:MAX_USERS]] == reactions[0]["users"]
    emoji = reactions[-1]["emoji"]
    of_one = [entry for page in full.pages(f"{address}/{newest}/reactions", emoji=emoji) for entry in page]
    assert of_one == [entry for entry in entries if entry["emoji"] == emoji]
    missing = full.http.get(f"{address}/{10**6}/reactions", headers=full.headers)
    assert (missing.status_code, missing.json()["code"]) == (404, "message_not_found")


def test_the_server_logs_no_error(full: Full) -> None:
    log = Path(full.server.log).read_text()
    assert '"level": "error"' not in log, log
