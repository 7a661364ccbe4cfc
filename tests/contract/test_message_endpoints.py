"""The section "Message Endpoints" of the document: its requests, as written there."""

import re

import pytest

from tests.support.people import Person


@pytest.fixture
async def hundred_and_twenty(alice: Person, room: int) -> list[str]:
    """The contents of 120 messages in the room."""
    contents = [f"message {number}" for number in range(1, 121)]
    async with alice.enters(room) as here:
        for content in contents:
            await here.says(content)
        await here.hears("message", message=contents[-1])
    return contents


async def test_get_chat_history(alice: Person, room: int, hundred_and_twenty: list[str]) -> None:
    history = await alice.history(room)
    assert [message["message"] for message in history] == hundred_and_twenty[-100:], (
        "the newest page, oldest first"
    )
    for message in history:
        assert message["type"] == "message"
        assert message["room_id"] == room
        assert message["sender"] == alice.username
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", message["timestamp"])


async def test_get_recent_messages(alice: Person, room: int, hundred_and_twenty: list[str]) -> None:
    recent = (await alice.http.get(f"/api/messages/{room}/recent?limit=50")).json()
    assert [message["message"] for message in recent] == hundred_and_twenty[-50:]
    assert recent == await alice.get(f"/api/messages/{room}/recent"), "50 is the default limit"
    assert len(await alice.get(f"/api/messages/{room}/recent", limit=7)) == 7


async def test_history_can_be_read_page_by_page(
    alice: Person, room: int, hundred_and_twenty: list[str]
) -> None:
    """With `before` and `after`, or by following the `Link` header (RFC 8288)."""
    contents: list[str] = []
    address: str | None = f"/api/messages/{room}?limit=50"
    while address:
        answer = await alice.http.get(address)
        contents = [message["message"] for message in answer.json()] + contents
        address = answer.links.get("prev", {}).get("url")
    assert contents == hundred_and_twenty
    page = await alice.history(room, before=21, limit=10)
    assert [message["id"] for message in page] == list(range(11, 21))
    page = await alice.history(room, after=110)
    assert [message["id"] for message in page] == list(range(111, 121))


async def test_history_has_the_same_message_objects_as_the_socket(
    alice: Person, bob: Person, room: int
) -> None:
    async with alice.enters(room) as here:
        await here.says("the same object")
        heard = await here.hears("message")
    assert await bob.history(room) == [heard]


async def test_a_message_can_be_sent_over_rest_too(alice: Person, bob: Person, room: int) -> None:
    async with bob.enters(room) as there:
        answer = await alice.http.post(f"/api/messages/{room}", json={"content": "from a script"})
        assert answer.status_code == 201
        assert await there.hears("message") == answer.json()


async def test_the_history_of_a_room_that_does_not_exist_is_not_found(alice: Person) -> None:
    for path in ("/api/messages/9007199254740991", "/api/messages/9007199254740991/recent?limit=50"):
        assert (await alice.http.get(path)).json()["code"] == "room_not_found"
