"""Events and messages stay in their room, and a room that a user may not see looks like one that does not exist."""

import sqlite3

import httpx
import pytest

from tests.support.people import Person
from tests.support.problems import check_problem

NOWHERE = 2**53 - 1


@pytest.fixture
async def other_room(alice: Person) -> int:
    created = await alice.http.post("/api/rooms", json={"name": "The other room"})
    number: int = created.json()["id"]
    return number


def close_to_the_public(person: Person, room: int) -> None:
    """Make the room closed in the database, since no endpoint creates closed rooms yet."""
    with sqlite3.connect(person.server.folder / "chat.db") as database:
        database.execute("UPDATE rooms SET kind = 'closed' WHERE id = ?", (room,))
    database.close()


async def test_events_of_one_room_are_not_sent_to_another(
    alice: Person, bob: Person, room: int, other_room: int
) -> None:
    async with alice.enters(room) as here, bob.enters(room) as listener, bob.enters(other_room) as elsewhere:
        await here.says("only here", ref=1)
        await here.hears("ack", ref=1)
        await here.does("typing")
        await here.does("message.edit", id=1, content="still only here", ref=2)
        await here.does("reaction.add", id=1, emoji="👍", ref=3)
        await here.does("message.delete", id=1, ref=4)
        await here.hears("ack", ref=4)
        await listener.hears("message.deleted")
        await elsewhere.says("over here")
        await elsewhere.hears("message", message="over here")
        await elsewhere.does("ping")
        await elsewhere.hears("pong")
        rooms = {frame["room_id"] for frame in elsewhere.heard if "room_id" in frame}
        assert rooms == {other_room}
    assert [message["message"] for message in await bob.history(other_room)] == ["over here"]
    changes = (await bob.get(f"/api/messages/{other_room}/changes"))["changes"]
    assert {change["room_id"] for change in changes} == {other_room}


async def test_a_message_id_is_valid_in_its_own_room_only(alice: Person, room: int, other_room: int) -> None:
    """Each room counts its own ids: an id of one room is unknown in another, or belongs to another message."""
    async with alice.enters(room) as here:
        for word in ("one", "two", "three"):
            await here.says(word)
        await here.hears("message", message="three")
    await alice.http.post(f"/api/messages/{other_room}", json={"content": "uno"})
    for method, body in (("PATCH", {"content": "stolen"}), ("DELETE", None)):
        answer = await alice.http.request(method, f"/api/messages/{other_room}/3", json=body)
        assert check_problem(answer, 404) == "message_not_found"
    answer = await alice.http.post(f"/api/messages/{other_room}", json={"content": "re", "reply_to": 3})
    assert check_problem(answer, 422) == "reply_to_nothing"
    assert [message["message"] for message in await alice.history(room)] == ["one", "two", "three"]


def requests_about(room: int) -> list[tuple[str, str, dict[str, str] | None]]:
    text = {"content": "hello"}
    return [
        ("GET", f"/api/rooms/{room}", None),
        ("GET", f"/api/rooms/{room}/presence", None),
        ("GET", f"/api/messages/{room}", None),
        ("GET", f"/api/messages/{room}/recent", None),
        ("GET", f"/api/messages/{room}/changes", None),
        ("POST", f"/api/messages/{room}", text),
        ("PATCH", f"/api/messages/{room}/1", text),
        ("DELETE", f"/api/messages/{room}/1", None),
    ]


COMMANDS: dict[str, dict[str, object]] = {
    "subscribe": {},
    "message": {"content": "x"},
    "message.edit": {"id": 1, "content": "x"},
    "message.delete": {"id": 1},
    "read": {"id": 1},
    "reaction.add": {"id": 1, "emoji": "👍"},
}


async def answers_about(person: Person, room: int) -> list[httpx.Response]:
    return [await person.http.request(method, path, json=body) for method, path, body in requests_about(room)]


async def test_a_stranger_cannot_tell_that_a_closed_room_exists(
    alice: Person, bob: Person, room: int
) -> None:
    await alice.http.post(f"/api/messages/{room}", json={"content": "secret"})
    close_to_the_public(alice, room)
    for closed, none in zip(await answers_about(bob, room), await answers_about(bob, NOWHERE), strict=True):
        assert check_problem(closed, 404) == check_problem(none, 404) == "room_not_found"
        assert closed.text == none.text
        assert {*closed.headers} == {*none.headers}
    assert room not in [one["id"] for one in await bob.get("/api/rooms")]
    async with bob.connects() as seat:
        for command, fields in COMMANDS.items():
            for number in (room, NOWHERE):
                await seat.does(command, room_id=number, ref=number, **fields)
                error = await seat.hears("error", ref=number)
                assert error["code"] == "room_not_found", command
        for command in ("typing", "unsubscribe"):
            await seat.does(command, room_id=room, ref=command)
            assert (await seat.hears("error", ref=command))["code"] == "not_subscribed"
    for number in (room, NOWHERE):
        with pytest.raises(Exception, match="4404"):
            async with bob.enters(number):
                pass


async def test_a_client_without_a_token_cannot_tell_that_a_room_exists(alice: Person, room: int) -> None:
    async with httpx.AsyncClient(base_url=alice.server.url) as anonymous:
        for number in (room, NOWHERE):
            for method, path, body in requests_about(number):
                answer = await anonymous.request(method, path, json=body)
                assert check_problem(answer, 401) == "invalid_token"
