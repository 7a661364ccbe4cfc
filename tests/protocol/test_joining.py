"""A user who sends to an open room becomes a member; a user whose command is refused does not, and no event is sent."""

from typing import Any

import pytest

from tests.support.people import Person
from tests.support.problems import check_problem

DELETED, LIVE = 1, 2
"""Ids of two messages by Alice."""

REFUSED_OVER_REST: dict[str, tuple[str, str, Any, str]] = {
    "no body": ("POST", "", None, "validation_failed"),
    "blank": ("POST", "", {"content": " "}, "validation_failed"),
    "too long": ("POST", "", {"content": "x" * 8_001}, "validation_failed"),
    "a wrong client_id": ("POST", "", {"content": "hi", "client_id": ""}, "validation_failed"),
    "a reply to an unknown message": ("POST", "", {"content": "hi", "reply_to": 3}, "reply_to_nothing"),
    "an edit without text": ("PATCH", f"/{LIVE}", {}, "validation_failed"),
    "an edit of an unknown message": ("PATCH", "/3", {"content": "hi"}, "message_not_found"),
    "an edit of another user's message": ("PATCH", f"/{LIVE}", {"content": "hi"}, "not_your_message"),
    "an edit of a deleted message": ("PATCH", f"/{DELETED}", {"content": "hi"}, "message_gone"),
    "a deletion of an unknown message": ("DELETE", "/3", None, "message_not_found"),
    "a deletion of another user's message": ("DELETE", f"/{LIVE}", None, "not_your_message"),
    "a deletion of a deleted message": ("DELETE", f"/{DELETED}", None, "message_gone"),
}
REFUSED_OVER_THE_SOCKET: dict[str, tuple[dict[str, Any], str]] = {
    "a reply to an unknown message": (
        {"type": "message", "content": "hi", "reply_to": 3},
        "reply_to_nothing",
    ),
    "an edit": ({"type": "message.edit", "id": LIVE, "content": "hi"}, "not_your_message"),
    "a deletion": ({"type": "message.delete", "id": LIVE}, "not_your_message"),
    "a reaction to an unknown message": (
        {"type": "reaction.add", "id": 3, "emoji": "👍"},
        "message_not_found",
    ),
    "a reaction to a deleted message": (
        {"type": "reaction.add", "id": DELETED, "emoji": "👍"},
        "message_gone",
    ),
    "removing a reaction to an unknown message": (
        {"type": "reaction.remove", "id": 3, "emoji": "👍"},
        "message_not_found",
    ),
}


@pytest.fixture
async def room(alice: Person) -> int:
    """A room of Alice with a deleted message and one that is not deleted."""
    number: int = (await alice.http.post("/api/rooms", json={"name": "Come in"})).json()["id"]
    for word in ("deleted", "live"):
        await alice.http.post(f"/api/messages/{number}", json={"content": word})
    await alice.http.delete(f"/api/messages/{number}/{DELETED}")
    return number


async def is_not_a_member(person: Person, room: int, head: int) -> bool:
    seen = await person.get(f"/api/rooms/{room}")
    return (seen["role"], seen["last_seq"]) == (None, head)


async def last_seq_of(person: Person, room: int) -> int:
    head: int = (await person.get(f"/api/rooms/{room}"))["last_seq"]
    return head


@pytest.mark.parametrize("what", REFUSED_OVER_REST)
async def test_a_refused_request_does_not_join_the_room(
    alice: Person, bob: Person, room: int, what: str
) -> None:
    method, path, body, code = REFUSED_OVER_REST[what]
    head = await last_seq_of(alice, room)
    answer = await bob.http.request(method, f"/api/messages/{room}{path}", json=body)
    assert check_problem(answer, 403, 404, 409, 422) == code
    assert await is_not_a_member(bob, room, head)


@pytest.mark.parametrize("what", REFUSED_OVER_THE_SOCKET)
async def test_a_refused_command_does_not_join_the_room(
    alice: Person, bob: Person, room: int, what: str
) -> None:
    command, code = REFUSED_OVER_THE_SOCKET[what]
    head = await last_seq_of(alice, room)
    async with bob.connects() as seat:
        await seat.does(**command, room_id=room, ref=1)
        assert (await seat.hears("error", ref=1))["code"] == code
    assert await is_not_a_member(bob, room, head)


async def test_the_error_for_a_refused_message_has_its_client_id(bob: Person, room: int) -> None:
    async with bob.connects() as seat:
        await seat.says("hi", room_id=room, reply_to=3, client_id="mine")
        assert (await seat.hears("error", client_id="mine"))["code"] == "reply_to_nothing"
        await seat.says("hi", room_id=2**40, client_id="lost")
        assert (await seat.hears("error", client_id="lost"))["code"] == "room_not_found"


async def test_removing_a_reaction_that_does_not_exist_does_not_join_the_room(
    alice: Person, bob: Person, room: int
) -> None:
    head = await last_seq_of(alice, room)
    async with bob.connects() as seat:
        await seat.does("reaction.remove", room_id=room, id=LIVE, emoji="👍", ref=1)
        await seat.hears("ack", ref=1)
    assert await is_not_a_member(bob, room, head)


async def test_a_message_over_rest_joins_the_room(alice: Person, bob: Person, room: int) -> None:
    head = await last_seq_of(alice, room)
    async with alice.enters(room) as here:
        answer = await bob.http.post(f"/api/messages/{room}", json={"content": "hi", "reply_to": LIVE})
        assert answer.status_code == 201
        assert (await here.hears("member.joined"))["seq"] == head + 1
        assert (await here.hears("message"))["seq"] == head + 2


@pytest.mark.parametrize(
    "command, heard",
    [
        ({"type": "message", "content": "hi"}, "message"),
        ({"type": "reaction.add", "id": LIVE, "emoji": "👍"}, "reaction"),
        ({"type": "read", "id": LIVE}, None),
    ],
    ids=["message", "reaction", "read"],
)
async def test_a_successful_command_joins_the_room(
    alice: Person, bob: Person, room: int, command: dict[str, Any], heard: str | None
) -> None:
    """Listeners receive the joining first, then the event itself; a second command causes no second joining."""
    head = await last_seq_of(alice, room)
    async with alice.enters(room) as here, bob.connects() as seat:
        for ref in (1, 2):
            await seat.does(**command, room_id=room, ref=ref)
            await seat.hears("ack", ref=ref)
        joined = await here.hears("member.joined")
        assert (joined["user"], joined["seq"]) == (bob.username, head + 1)
        if heard:
            assert (await here.hears(heard))["seq"] == head + 2
        await here.says("enough")
        await here.hears("message", message="enough")
    assert [frame["type"] for frame in here.heard].count("member.joined") == 1
    assert (await bob.get(f"/api/rooms/{room}"))["role"] == "member"
