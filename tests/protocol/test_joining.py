"""Who says something in an open room is in it from then on; who is refused stays outside, and nobody hears of it."""

from typing import Any

import pytest

from tests.support.people import Person
from tests.support.problems import check_problem

GONE, STANDING = 1, 2
"""Two messages of Alice's."""

REFUSED_OVER_REST: dict[str, tuple[str, str, Any, str]] = {
    "no body": ("POST", "", None, "validation_failed"),
    "blank": ("POST", "", {"content": " "}, "validation_failed"),
    "too long": ("POST", "", {"content": "x" * 8_001}, "validation_failed"),
    "a wrong client_id": ("POST", "", {"content": "hi", "client_id": ""}, "validation_failed"),
    "a reply to nothing": ("POST", "", {"content": "hi", "reply_to": 3}, "reply_to_nothing"),
    "an edit without text": ("PATCH", f"/{STANDING}", {}, "validation_failed"),
    "an edit of nothing": ("PATCH", "/3", {"content": "hi"}, "message_not_found"),
    "an edit of another's": ("PATCH", f"/{STANDING}", {"content": "hi"}, "not_your_message"),
    "an edit of what is gone": ("PATCH", f"/{GONE}", {"content": "hi"}, "message_gone"),
    "a deletion of nothing": ("DELETE", "/3", None, "message_not_found"),
    "a deletion of another's": ("DELETE", f"/{STANDING}", None, "not_your_message"),
    "a deletion of what is gone": ("DELETE", f"/{GONE}", None, "message_gone"),
}
REFUSED_OVER_THE_SOCKET: dict[str, tuple[dict[str, Any], str]] = {
    "a reply to nothing": ({"type": "message", "content": "hi", "reply_to": 3}, "reply_to_nothing"),
    "an edit": ({"type": "message.edit", "id": STANDING, "content": "hi"}, "not_your_message"),
    "a deletion": ({"type": "message.delete", "id": STANDING}, "not_your_message"),
    "a reaction to nothing": ({"type": "reaction.add", "id": 3, "emoji": "👍"}, "message_not_found"),
    "a reaction to what is gone": ({"type": "reaction.add", "id": GONE, "emoji": "👍"}, "message_gone"),
    "taking back what never was": ({"type": "reaction.remove", "id": 3, "emoji": "👍"}, "message_not_found"),
}


@pytest.fixture
async def room(alice: Person) -> int:
    """A room of Alice's with a message that is gone and one that is not."""
    number: int = (await alice.http.post("/api/rooms", json={"name": "Come in"})).json()["id"]
    for word in ("gone", "standing"):
        await alice.http.post(f"/api/messages/{number}", json={"content": word})
    await alice.http.delete(f"/api/messages/{number}/{GONE}")
    return number


async def stays_outside(person: Person, room: int, head: int) -> bool:
    seen = await person.get(f"/api/rooms/{room}")
    return (seen["role"], seen["last_seq"]) == (None, head)


async def head_of(person: Person, room: int) -> int:
    head: int = (await person.get(f"/api/rooms/{room}"))["last_seq"]
    return head


@pytest.mark.parametrize("what", REFUSED_OVER_REST)
async def test_a_request_that_is_refused_brings_nobody_in(
    alice: Person, bob: Person, room: int, what: str
) -> None:
    method, path, body, code = REFUSED_OVER_REST[what]
    head = await head_of(alice, room)
    answer = await bob.http.request(method, f"/api/messages/{room}{path}", json=body)
    assert check_problem(answer, 403, 404, 409, 422) == code
    assert await stays_outside(bob, room, head)


@pytest.mark.parametrize("what", REFUSED_OVER_THE_SOCKET)
async def test_a_command_that_is_refused_brings_nobody_in(
    alice: Person, bob: Person, room: int, what: str
) -> None:
    command, code = REFUSED_OVER_THE_SOCKET[what]
    head = await head_of(alice, room)
    async with bob.connects() as seat:
        await seat.does(**command, room_id=room, ref=1)
        assert (await seat.hears("error", ref=1))["code"] == code
    assert await stays_outside(bob, room, head)


async def test_a_refused_message_is_told_by_the_name_its_sender_gave_it(bob: Person, room: int) -> None:
    async with bob.connects() as seat:
        await seat.says("hi", room_id=room, reply_to=3, client_id="mine")
        assert (await seat.hears("error", client_id="mine"))["code"] == "reply_to_nothing"
        await seat.says("hi", room_id=2**40, client_id="lost")
        assert (await seat.hears("error", client_id="lost"))["code"] == "room_not_found"


async def test_taking_back_a_reaction_that_never_was_brings_nobody_in(
    alice: Person, bob: Person, room: int
) -> None:
    head = await head_of(alice, room)
    async with bob.connects() as seat:
        await seat.does("reaction.remove", room_id=room, id=STANDING, emoji="👍", ref=1)
        await seat.hears("ack", ref=1)
    assert await stays_outside(bob, room, head)


async def test_who_says_something_over_rest_is_in(alice: Person, bob: Person, room: int) -> None:
    head = await head_of(alice, room)
    async with alice.enters(room) as here:
        answer = await bob.http.post(f"/api/messages/{room}", json={"content": "hi", "reply_to": STANDING})
        assert answer.status_code == 201
        assert (await here.hears("member.joined"))["seq"] == head + 1
        assert (await here.hears("message"))["seq"] == head + 2


@pytest.mark.parametrize(
    "command, heard",
    [
        ({"type": "message", "content": "hi"}, "message"),
        ({"type": "reaction.add", "id": STANDING, "emoji": "👍"}, "reaction"),
        ({"type": "read", "id": STANDING}, None),
    ],
    ids=["message", "reaction", "read"],
)
async def test_a_command_that_succeeds_brings_its_sender_in(
    alice: Person, bob: Person, room: int, command: dict[str, Any], heard: str | None
) -> None:
    """First that they came, then what they did, and a second time only what they did."""
    head = await head_of(alice, room)
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
