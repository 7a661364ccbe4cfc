"""The section "Swift UI Integration" of the document: its client against this server."""

import json
from typing import Any

import httpx
import pytest
import websockets

from app.schemas.asyncapi import document as asyncapi
from tests.support.people import Person, Seat, sign_in
from tests.support.server import ChatServer
from tests.support.swift import ChatMessage, ChatRoom, DecodingError, LoginResponse


@pytest.fixture
async def swift(own_server: ChatServer) -> Person:
    """User 1, logged in as by the `login` of the document."""
    return await sign_in(own_server, "user1", "password123")


async def test_register_user_and_login_give_an_access_token(server: ChatServer) -> None:
    body = json.dumps({"username": "swift user", "password": "password123"}).encode()
    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as session:
        assert (await session.post("/api/auth/signup", content=body)).status_code == 201
        answer = await session.post("/api/auth/login", content=body)
        token = LoginResponse.decode(answer.content)["accessToken"]
        me = await session.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["username"] == "swift user"
    assert LoginResponse.decode(answer.content)["tokenType"] == "bearer"


async def test_rooms_decode_as_chat_rooms(alice: Person, room: int) -> None:
    rooms = await alice.get("/api/rooms")
    for one in [*rooms, await alice.get(f"/api/rooms/{room}")]:
        decoded = ChatRoom.decode(json.dumps(one))
        assert decoded == {"id": one["id"], "name": one["name"], "createdAt": one["created_at"]}


async def test_a_message_sent_in_a_binary_frame_comes_back_and_decodes(alice: Person, room: int) -> None:
    shown: list[dict[str, Any]] = []
    async with websockets.connect(f"{alice.server.ws}/ws/chat/{room}?token={alice.token}") as socket:
        await socket.send(json.dumps({"type": "message", "content": "Hello from Swift"}).encode())
        while not shown:
            data = await socket.recv()
            if ChatMessage.decodes(data):
                assert type(json.loads(data)["room_id"]) is int
                shown.append(ChatMessage.decode(data))
    assert shown[0] | {"timestamp": ""} == {
        "type": "message",
        "roomId": room,
        "sender": alice.username,
        "message": "Hello from Swift",
        "timestamp": "",
    }


async def test_of_all_events_only_a_message_decodes_as_a_chat_message(swift: Person) -> None:
    """The client shows every frame that decodes as a ChatMessage, so no other event may decode."""
    heard = await conversation_with_every_event(swift)
    kinds = {frame["type"] for frame in heard}
    assert kinds == {asyncapi.type_of(model) for model in asyncapi.EVENT_MODELS}, (
        "every kind of event was sent"
    )
    for frame in heard:
        assert ChatMessage.decodes(json.dumps(frame)) is (frame["type"] == "message"), frame


async def conversation_with_every_event(swift: Person) -> list[dict[str, Any]]:
    """All frames of a conversation that causes every kind of event."""
    server, general = swift.server, 1
    friend = await sign_in(server, "user2", "password123")
    async with swift.enters(general, since=0) as here, friend.enters(general) as there:
        await here.hears("member.joined", user="user2")
        await here.says("first", ref="a", client_id="once", reply_to=None)
        await here.hears("ack", ref="a")
        await there.hears("message")
        for command, fields in (
            ("message.edit", {"content": "second"}),
            ("reaction.add", {"emoji": "👍"}),
            ("reaction.remove", {"emoji": "👍"}),
            ("message.delete", {}),
        ):
            await here.does(command, id=1, ref=command, **fields)
            await here.hears("ack", ref=command)
        await there.does("typing")
        await here.hears("typing")
        await there.does("read", id=1)
        await here.says("third")
        await there.hears("message", id=2)
        await there.does("read", id=2)
        await here.hears("read", id=2)
        await here.does("nonsense")
        await here.hears("error")
        await here.does("ping")
        await here.hears("pong")
        while "presence" not in {frame["type"] for frame in here.heard}:
            await here.next()
        return here.heard + there.heard + await frames_until_closed(server, here)


async def frames_until_closed(server: ChatServer, seat: Seat) -> list[dict[str, Any]]:
    """The frames that arrive while the server stops."""
    known = len(seat.heard)
    server.stop()
    await seat.is_closed()
    return seat.heard[known:]


def test_the_decoder_is_as_strict_as_that_of_foundation() -> None:
    good = {"type": "message", "room_id": 1, "sender": "a", "message": "b", "timestamp": "c", "more": None}
    assert ChatMessage.decode(json.dumps(good))["roomId"] == 1
    assert ChatMessage.decodes(json.dumps(good | {"room_id": 1.0}))
    for wrong in (
        {"room_id": "1"},
        {"room_id": True},
        {"room_id": 1.5},
        {"room_id": 2**63},
        {"sender": None},
    ):
        with pytest.raises(DecodingError):
            ChatMessage.decode(json.dumps(good | wrong))
    for key in good.keys() - {"more"}:
        assert not ChatMessage.decodes(json.dumps({name: good[name] for name in good if name != key}))
    assert not ChatMessage.decodes("[]")
    assert not ChatMessage.decodes("{")
