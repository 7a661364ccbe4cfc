"""The section "Development" of the document, and a conversation on the plain uvicorn that it starts.

Without this project's protocol class the hub has no transport to write to and uses `websocket.send`.
"""

import json
from collections.abc import AsyncIterator

import pytest

from tests.support.people import Person, sign_in
from tests.support.rawclient import TEXT, frame, raw_client
from tests.support.server import ChatServer

GENERAL = 1


@pytest.fixture
async def user1(plain: ChatServer) -> AsyncIterator[Person]:
    person = await sign_in(plain, "user1", "password123")
    yield person
    await person.http.aclose()


@pytest.fixture
async def user2(plain: ChatServer) -> AsyncIterator[Person]:
    person = await sign_in(plain, "user2", "password123")
    yield person
    await person.http.aclose()


async def test_a_message_reaches_its_sender_and_the_other_user(user1: Person, user2: Person) -> None:
    async with user1.enters(GENERAL) as here, user2.enters(GENERAL) as there:
        await here.says("as text", ref=1)
        await here.socket.send(json.dumps({"type": "message", "content": "as binary"}).encode())
        for seat in (here, there):
            for text in ("as text", "as binary"):
                assert (await seat.hears("message"))["message"] == text
        await here.does("ping")
        await here.hears("pong")
        assert [frame["ref"] for frame in here.heard if frame["type"] == "ack"] == [1]


async def test_typing_edits_reactions_and_deletions_reach_the_other_user(
    user1: Person, user2: Person
) -> None:
    async with user1.enters(GENERAL) as here, user2.enters(GENERAL) as there:
        await here.does("typing")
        assert (await there.hears("typing"))["user"] == "user1"
        await here.says("wrong", ref="sent")
        number = (await here.hears("ack", ref="sent"))["id"]
        await here.does("message.edit", id=number, content="right")
        assert (await there.hears("message.updated"))["content"] == "right"
        await there.does("reaction.add", id=number, emoji="👍")
        assert (await here.hears("reaction"))["user"] == "user2"
        await here.does("message.delete", id=number)
        assert (await there.hears("message.deleted"))["id"] == number


async def test_one_socket_follows_many_rooms_and_another_catches_up(user1: Person, user2: Person) -> None:
    async with user1.connects() as here:
        await here.does("subscribe", room_id=2)
        seq = (await here.hears("synced"))["seq"]
        async with user2.enters(2) as there:
            await there.says("in room two")
            await there.hears("message")
        assert (await here.hears("message"))["room_id"] == 2
        await here.does("unsubscribe", room_id=2, ref=1)
        await here.hears("ack")
    async with user1.enters(2, since=seq) as again:
        assert (await again.hears("message"))["message"] == "in room two"
        await again.hears("synced")


async def test_bad_input_is_answered_with_an_error_and_the_connection_stays_open(
    plain: ChatServer, user1: Person
) -> None:
    async with user1.enters(GENERAL) as here:
        for bad in ("{", "[]", '{"type": "dance"}', "[" * 10_000, "x" * 200_000, b"\xff\xfe"):
            await here.socket.send(bad)
            await here.hears("error")
        await here.says("still here")
        await here.hears("message", message="still here")
    async with raw_client(plain, f"/ws/chat/{GENERAL}?token={user1.token}") as raw:
        await raw.hears("ready")
        await raw.sends(frame(b"\xff", TEXT))
        assert await raw.is_closed() == 1007


async def test_frames_are_bounded_and_not_decompressed(user1: Person) -> None:
    """uvicorn's defaults would let 245 kB from a client without a token take 135 MB."""
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    path = f"/ws/chat/{GENERAL}?token={user1.token}"
    async with raw_client(user1.server, path, offer) as raw:
        assert b"permessage-deflate" not in raw.head
        await raw.hears("ready")
        await raw.sends(b"\x81\xff" + (1 << 21).to_bytes(8, "big") + b"mask")
        assert await raw.is_closed() == 1009


async def test_a_refused_connection_is_closed_with_its_code(user1: Person) -> None:
    for room, code in ((99, 4404), (0, 4400)):
        async with raw_client(user1.server, f"/ws/chat/{room}?token={user1.token}") as raw:
            assert await raw.is_closed() == code
    async with raw_client(user1.server, "/ws") as raw:
        assert await raw.is_closed() == 4401


async def test_ending_a_session_closes_its_socket(plain: ChatServer) -> None:
    admin = await sign_in(plain, "admin", "admin123")
    async with admin.enters(GENERAL) as here:
        await admin.http.post("/api/auth/logout")
        assert await here.is_closed() == 4401
    await admin.http.aclose()
