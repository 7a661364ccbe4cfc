"""The document's section «Message Endpoints»: its requests, as written there."""

import re

import pytest

from tests.support.people import Person


@pytest.fixture
async def hundred_and_twenty(alice: Person, room: int) -> list[str]:
    """What has been said in the room."""
    said = [f"message {number}" for number in range(1, 121)]
    async with alice.enters(room) as here:
        for content in said:
            await here.says(content)
        await here.hears("message", message=said[-1])
    return said


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
    assert recent == await alice.get(f"/api/messages/{room}/recent"), "50 is what one gets anyway"
    assert len(await alice.get(f"/api/messages/{room}/recent", limit=7)) == 7


async def test_history_leads_from_page_to_page(
    alice: Person, room: int, hundred_and_twenty: list[str]
) -> None:
    """With `before`, or by following the `Link` header (RFC 8288) as it is."""
    told: list[str] = []
    address: str | None = f"/api/messages/{room}?limit=50"
    while address:
        answer = await alice.http.get(address)
        told = [message["message"] for message in answer.json()] + told
        address = answer.links.get("prev", {}).get("url")
    assert told == hundred_and_twenty
    page = await alice.history(room, before=21, limit=10)
    assert [message["id"] for message in page] == list(range(11, 21))
    page = await alice.history(room, after=110)
    assert [message["id"] for message in page] == list(range(111, 121))


async def test_history_is_what_the_socket_told(alice: Person, bob: Person, room: int) -> None:
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
