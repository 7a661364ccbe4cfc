"""Refusals say what is wrong, and are logged at level debug."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import websockets

from tests.support.people import Person, sign_in
from tests.support.problems import check_problem
from tests.support.rawclient import frame, raw_client
from tests.support.server import ChatServer

OBJECT_EXPECTED = "A JSON object is expected, sent with `content-type: application/json`."


@pytest.fixture(scope="module")
def debug_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    with ChatServer(tmp_path_factory.mktemp("debug_server"), (), log_level="debug") as running:
        yield running


@pytest.fixture
async def user1(debug_server: ChatServer) -> AsyncIterator[Person]:
    person = await sign_in(debug_server, "user1", "password123")
    yield person
    await person.http.aclose()


@pytest.mark.parametrize(
    "body",
    [
        {"content": b'{"content": "no content type"}'},
        {"data": {"content": "a form"}},
        {"json": ["a"]},
        {"json": "a"},
    ],
    ids=["no content type", "a form", "a list", "a string"],
)
async def test_a_body_that_is_not_an_object_is_explained(user1: Person, body: dict[str, Any]) -> None:
    answer = await user1.http.post("/api/messages/1", **body)
    assert check_problem(answer, 422) == "validation_failed"
    assert answer.json()["detail"] == OBJECT_EXPECTED


async def test_the_detail_names_the_invalid_field(user1: Person) -> None:
    answer = await user1.http.post("/api/messages/1", json={"content": ["a"]})
    assert answer.json()["detail"].startswith("content: ")
    answer = await user1.http.post("/api/rooms", json={"name": " "})
    assert answer.json()["detail"] == "name: This is blank."


@pytest.mark.parametrize(
    "text, detail",
    [
        ('["a"]', "A command is a JSON object."),
        ('"a"', "A command is a JSON object."),
        ('{"content": "q"}', "type: Field required."),
        ('{"type": "shout"}', "type: There is no such command."),
    ],
)
async def test_a_frame_that_is_not_a_command_is_explained(
    debug_server: ChatServer, user1: Person, text: str, detail: str
) -> None:
    async with raw_client(debug_server, f"/ws?token={user1.token}") as client:
        await client.sends(frame(text.encode()))
        error = await client.hears("error")
    assert (error["code"], error["detail"]) == ("invalid_command", detail)


async def test_refusals_are_in_the_debug_log_without_their_tokens(debug_server: ChatServer) -> None:
    address, headers = f"{debug_server.ws}/ws?token=not.a.token", {"Origin": "http://evil.example"}
    async with websockets.connect(address, additional_headers=headers) as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
    async with httpx.AsyncClient() as http:
        await http.get(f"{debug_server.url}/api/rooms?token=not.a.token")  # no such parameter
        await http.get(f"{debug_server.url}/api/rooms", headers={"Authorization": "Bearer not.a.token"})
    log = debug_server.log.read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    notes = [line for line in lines if line["event"] in {"socket.refused", "request.refused"}]
    assert {
        "event": "socket.refused",
        "path": "/ws",
        "close_code": 4403,
        "origin": headers["Origin"],
    }.items() <= notes[-3].items()
    for note, status in zip(notes[-2:], (422, 401), strict=True):
        assert {"event": "request.refused", "path": "/api/rooms", "status": status}.items() <= note.items()
    assert "not.a.token" not in log
