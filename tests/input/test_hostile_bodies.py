"""Hostile request bodies, at every endpoint that takes a body."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.input import corpus
from tests.support.people import Person
from tests.support.problems import check_problem

Body = dict[str, Any]

ENDPOINTS: dict[str, tuple[str, str, Body]] = {
    "signup": ("POST", "/api/auth/signup", {"username": "newcomer", "password": "correct horse"}),
    "login": ("POST", "/api/auth/login", {"username": "newcomer", "password": "correct horse"}),
    "refresh": ("POST", "/api/auth/refresh", {"refresh_token": "abc"}),
    "password": (
        "POST",
        "/api/auth/password",
        {"current_password": "correct horse", "new_password": "staple battery"},
    ),
    "rooms": ("POST", "/api/rooms", {"name": "A room"}),
    "messages": ("POST", "/api/messages/{room}", {"content": "hi", "client_id": "c", "reply_to": 1}),
    "edit": ("PATCH", "/api/messages/{room}/1", {"content": "hi"}),
}
NUMBERS = {"reply_to"}
OPTIONAL = {"client_id", "reply_to"}
MEGABYTE = 1 << 20

every_endpoint = pytest.mark.parametrize("name", ENDPOINTS)


async def send_body(
    person: Person, name: str, room: int, content: bytes, kind: str = "application/json"
) -> httpx.Response:
    method, path, _ = ENDPOINTS[name]
    headers = {"Content-Type": kind}
    return await person.http.request(method, path.format(room=room), content=content, headers=headers)


@every_endpoint
async def test_a_body_that_is_not_json_is_answered_with_invalid_json(
    alice: Person, room: int, name: str
) -> None:
    for content in (corpus.NOT_JSON | corpus.NOT_UTF8).values():
        if content:
            assert check_problem(await send_body(alice, name, room, content), 422) == "invalid_json"
    assert check_problem(await send_body(alice, name, room, b""), 422) == "validation_failed"


@every_endpoint
async def test_a_body_that_is_not_an_object_or_lacks_a_field_is_a_problem(
    alice: Person, room: int, name: str
) -> None:
    fields = ENDPOINTS[name][2]
    for content in corpus.NOT_OBJECTS.values():
        assert check_problem(await send_body(alice, name, room, content), 422) == "validation_failed"
    method, path, _ = ENDPOINTS[name]
    for missing in fields.keys() - OPTIONAL:
        body = {field: value for field, value in fields.items() if field != missing}
        answer = await alice.http.request(method, path.format(room=room), json=body)
        assert check_problem(answer, 422) == "validation_failed"
        assert missing in answer.json()["detail"]


def wrong_values(field: str) -> Iterator[Any]:
    """Values that are invalid for this field."""
    if field in NUMBERS:
        yield from corpus.NOT_INTEGERS
        yield from (0, *corpus.OUT_OF_RANGE)
    else:
        yield from corpus.NOT_TEXT
        yield from (() if field == "refresh_token" else corpus.UNSTORABLE)
        yield "x" * 100_000


@every_endpoint
async def test_an_invalid_value_is_a_problem_that_names_the_field(
    alice: Person, room: int, name: str
) -> None:
    method, path, fields = ENDPOINTS[name]
    for field in fields:
        for value in wrong_values(field):
            if value is None and field in OPTIONAL:
                continue
            answer = await alice.http.request(method, path.format(room=room), json=fields | {field: value})
            assert check_problem(answer, 422) == "validation_failed", (field, value)
            assert [error["loc"] for error in answer.json()["errors"]] == [["body", field]]


@every_endpoint
async def test_an_unknown_key_is_a_problem_that_names_it_and_the_nearest_one(
    alice: Person, room: int, name: str
) -> None:
    """`{"kind": "private"}` must not make an open room, nor `clientId` lose its meaning, without a word."""
    method, path, fields = ENDPOINTS[name]
    path = path.format(room=room)
    for key, said in {
        "kind": "kind: There is no such key.",
        "x" * 50_000: "x" * 32 + "…: There is no such key.",
        "a\nb": "a\ufffdb: There is no such key.",
    }.items():
        answer = await alice.http.request(method, path, json=fields | {key: "private"})
        assert check_problem(answer, 422) == "validation_failed"
        assert answer.json()["detail"] == said
    for field in fields:
        body = {key.title().replace("_", "") if key == field else key: value for key, value in fields.items()}
        answer = await alice.http.request(method, path, json=body)
        [unknown] = body.keys() - fields.keys()
        assert answer.json()["detail"] == f"{unknown}: There is no such key; the nearest is {field}."
        assert answer.json()["errors"][0]["loc"] == ["body", unknown]


async def test_thousands_of_unknown_keys_are_one_short_answer(alice: Person, room: int) -> None:
    body = {f"key{number}": 1 for number in range(9_000)}
    answer = await alice.http.post("/api/rooms", json=body)
    assert check_problem(answer, 422) == "validation_failed"
    assert answer.json()["detail"] == "key0: There is no such key."
    assert len(answer.content) < 5_000


@every_endpoint
async def test_a_body_that_is_too_large_is_a_problem_whole_or_in_chunks(
    alice: Person, room: int, name: str
) -> None:
    async def in_chunks() -> Any:
        for _ in range(MEGABYTE // 4096):
            yield b" " * 4096

    assert check_problem(await send_body(alice, name, room, b" " * MEGABYTE), 413) == "content_too_large"
    method, path, _ = ENDPOINTS[name]
    for _ in range(3):  # on one connection: the rest of a body must not be read as the next request
        answer = await alice.http.request(method, path.format(room=room), content=in_chunks())
        assert check_problem(answer, 413) == "content_too_large"
    assert (await alice.get("/api/auth/me"))["username"] == alice.username


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ],
)
async def test_an_unsupported_content_type_is_a_problem(alice: Person, room: int, kind: str) -> None:
    for name in ENDPOINTS:
        check_problem(
            await send_body(alice, name, room, b'{"content": "hi", "name": "hi"}', kind), 400, 415, 422
        )


async def test_a_bystander_misses_no_message_between_refused_requests(
    alice: Person, bob: Person, room: int
) -> None:
    async with bob.enters(room) as there:
        bad = [*corpus.NOT_JSON.values(), *corpus.NOT_UTF8.values(), *corpus.NOT_OBJECTS.values()]
        for number, content in enumerate(bad):
            assert (await send_body(alice, "messages", room, content)).status_code == 422
            good = await alice.http.post(f"/api/messages/{room}", json={"content": f"good {number}"})
            assert good.status_code == 201
        heard = [(await there.hears("message"))["message"] for _ in bad]
    assert heard == [f"good {number}" for number in range(len(bad))]
    assert [message["id"] for message in await alice.history(room)] == list(range(1, len(bad) + 1))
