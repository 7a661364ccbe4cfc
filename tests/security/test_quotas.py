"""What a user may store in a day, and what a full disk still takes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.people import Person, sign_in, sign_up
from tests.support.server import ChatServer, wait_until

GENERAL = 1
DAY_SECONDS = 86_400
MESSAGES, BYTES, ROOMS = 5, 3_000, 2
NO_DISK_IS_SO_LARGE = 1 << 62


@pytest.fixture
def frugal(tmp_path: Path) -> Iterator[ChatServer]:
    limits = {"messages_per_day": MESSAGES, "text_bytes_per_day": BYTES, "rooms_per_day": ROOMS}
    with ChatServer(tmp_path, (), **limits) as server:
        yield server


async def test_messages_of_a_day_are_counted_over_rest_and_sockets(frugal: ChatServer) -> None:
    alice, bob = await sign_up(frugal, "alice"), await sign_up(frugal, "bob")
    async with alice.enters(GENERAL) as seat:
        await seat.says("one", client_id="kept", ref=1)
        await seat.hears("ack", ref=1)
        await seat.does("message.edit", id=1, content="changed", ref=2)
        await seat.hears("ack", ref=2)
        await seat.does("reaction.add", id=1, emoji="👍", ref=3)
        await seat.hears("ack", ref=3)
        for _ in range(2):
            sent = await alice.http.post(f"/api/messages/{GENERAL}", json={"content": "more"})
            assert sent.status_code == 201
        refused = await alice.http.post(f"/api/messages/{GENERAL}", json={"content": "too much"})
        assert (refused.status_code, refused.json()["code"]) == (429, "daily_quota_used")
        assert 0 < int(refused.headers["retry-after"]) <= DAY_SECONDS / MESSAGES + 1
        commands: list[dict[str, Any]] = [
            {"type": "message", "content": "too much"},
            {"type": "message", "content": "too much", "client_id": "new"},
            {"type": "message.edit", "id": 1, "content": "too much"},
            {"type": "reaction.add", "id": 1, "emoji": "🎉"},
        ]
        for ref, command in enumerate(commands):
            await seat.does(ref=f"refused {ref}", **command)
            error = await seat.hears("error", ref=f"refused {ref}")
            assert error["code"] == "daily_quota_used"
            assert 0 < error["retry_after"] <= DAY_SECONDS / MESSAGES + 1
        await seat.says("one", client_id="kept", ref="again")
        assert (await seat.hears("ack", ref="again"))["duplicate"], "a retry is answered with the original"
        await seat.does("reaction.remove", id=1, emoji="👍", ref="removed")
        await seat.hears("ack", ref="removed")
        await seat.does("message.delete", id=1, ref="gone")
        await seat.hears("ack", ref="gone")
    again = await alice.http.post(
        f"/api/messages/{GENERAL}", json={"content": "other text", "client_id": "kept"}
    )
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert (
        await bob.http.post(f"/api/messages/{GENERAL}", json={"content": "my own quota"})
    ).status_code == 201
    await close(alice, bob)


async def test_bytes_of_a_day_are_counted_as_they_are_stored(frugal: ChatServer) -> None:
    alice = await sign_up(frugal, "alice")
    text = "😀" * (BYTES // 4)
    first = await alice.http.post(f"/api/messages/{GENERAL}", json={"content": text})
    assert first.status_code == 201
    refused = await alice.http.post(f"/api/messages/{GENERAL}", json={"content": "x"})
    assert (refused.status_code, refused.json()["code"]) == (429, "daily_quota_used")
    edited = await alice.http.patch(f"/api/messages/{GENERAL}/1", json={"content": "x"})
    assert edited.status_code == 429
    await close(alice)


async def test_a_refused_message_joins_no_room(frugal: ChatServer) -> None:
    alice = await sign_up(frugal, "alice")
    for _ in range(MESSAGES):
        (await alice.http.post(f"/api/messages/{GENERAL}", json={"content": "x"})).raise_for_status()
    refused = await alice.http.post("/api/messages/2", json={"content": "x"})
    assert refused.json()["code"] == "daily_quota_used"
    assert (await alice.get("/api/rooms/2"))["role"] is None
    await close(alice)


async def test_rooms_of_a_day_are_counted_over_restarts(frugal: ChatServer) -> None:
    alice, bob = await sign_up(frugal, "alice"), await sign_up(frugal, "bob")
    for number in range(ROOMS):
        assert (await alice.http.post("/api/rooms", json={"name": f"Room {number}"})).status_code == 201
    frugal.stop()
    frugal.start()
    refused = await alice.http.post("/api/rooms", json={"name": "One more"})
    assert (refused.status_code, refused.json()["code"]) == (429, "daily_quota_used")
    assert DAY_SECONDS - 600 < int(refused.headers["retry-after"]) <= DAY_SECONDS
    assert (await bob.http.post("/api/rooms", json={"name": "My own"})).status_code == 201
    await close(alice, bob)


async def test_below_the_floor_of_free_disk_only_text_is_refused(tmp_path: Path) -> None:
    server = ChatServer(tmp_path)
    with server:
        alice = await sign_up(server, "alice")
        for text in ("one", "two", "three"):
            body = {"content": text, "client_id": text}
            (await alice.http.post(f"/api/messages/{GENERAL}", json=body)).raise_for_status()
    await close(alice)
    server.settings["MIN_FREE_DISK_BYTES"] = str(NO_DISK_IS_SO_LARGE)
    with server:
        wait_until(lambda: "disk.nearly_full" in server.log.read_text(), "noticing the disk")
        alice = await sign_in(server, "alice")
        await only_text_is_refused(alice)
    await close(alice)


async def only_text_is_refused(alice: Person) -> None:
    attempts = {
        "message": await alice.http.post(f"/api/messages/{GENERAL}", json={"content": "more"}),
        "elsewhere": await alice.http.post("/api/messages/2", json={"content": "more"}),
        "edit": await alice.http.patch(f"/api/messages/{GENERAL}/1", json={"content": "more"}),
        "room": await alice.http.post("/api/rooms", json={"name": "More"}),
    }
    for answer in attempts.values():
        assert (answer.status_code, answer.json()["code"]) == (507, "disk_nearly_full")
        assert answer.headers["retry-after"] == "60"
    async with alice.enters(GENERAL) as seat:
        await seat.says("more", ref=1)
        assert (await seat.hears("error", ref=1))["retry_after"] == 60
        await seat.says("one", client_id="one")
        assert (await seat.hears("ack", client_id="one"))["duplicate"]
        await seat.does("read", id=3, ref=2)
        await seat.hears("ack", ref=2)
        await seat.does("message.delete", id=1, ref=3)
        await seat.hears("ack", ref=3)
    assert (await alice.http.delete(f"/api/messages/{GENERAL}/2")).status_code == 204
    assert [message["message"] for message in await alice.history(GENERAL)] == ["", "", "three"]


async def close(*people: Person) -> None:
    for person in people:
        await person.http.aclose()
