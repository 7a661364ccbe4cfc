"""The document's section «WebSocket Connection»: the address, the two messages to send and the one to receive."""

import re

import pytest
import websockets

from tests.support.people import Person, Seat

SEND_MESSAGE = """{
  "type": "message",
  "content": "Hello, world!"
}"""
SEND_TYPING_INDICATOR = """{
  "type": "typing"
}"""
RECEIVE_MESSAGES = {
    "type": "message",
    "room_id": 1,
    "sender": "username",
    "message": "Hello, world!",
    "timestamp": "2024-01-01T12:00:00",
}


async def test_connect_to_chat_room_and_send_message(alice: Person, bob: Person, room: int) -> None:
    async with alice.enters(room) as here, bob.enters(room) as there:
        await here.socket.send(SEND_MESSAGE)
        for seat in (here, there):
            heard = await seat.hears("message")
            assert heard["room_id"] == room
            assert heard["sender"] == alice.username
            assert heard["message"] == "Hello, world!"
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", heard["timestamp"])
            assert heard.keys() >= RECEIVE_MESSAGES.keys()
            for key, value in RECEIVE_MESSAGES.items():
                assert type(heard[key]) is type(value), key


async def test_a_binary_frame_is_as_good_as_text(alice: Person, room: int) -> None:
    """The document's Swift client sends `.data`."""
    async with alice.enters(room) as here:
        await here.socket.send(SEND_MESSAGE.encode())
        assert (await here.hears("message"))["message"] == "Hello, world!"


async def test_whatever_is_sent_comes_back_as_text(alice: Person, room: int) -> None:
    async with alice.enters(room) as here:
        for message in (SEND_MESSAGE, SEND_MESSAGE.encode()):
            await here.socket.send(message)
            assert isinstance(await here.socket.recv(), str)


async def test_send_typing_indicator(alice: Person, bob: Person, room: int) -> None:
    async with alice.enters(room) as here, bob.enters(room) as there:
        await here.socket.send(SEND_TYPING_INDICATOR)
        await here.says("done typing")
        assert (await there.hears("typing"))["user"] == alice.username
        await here.hears("message")
        assert "typing" not in {frame["type"] for frame in here.heard}, "the author does not hear of it"


async def test_opening_the_socket_joins_the_room(alice: Person, bob: Person, room: int) -> None:
    async with alice.enters(room) as here, bob.enters(room):
        joined = await here.hears("member.joined")
    assert joined["user"] == bob.username
    assert (await bob.get(f"/api/rooms/{room}"))["role"] == "member"


async def test_the_token_may_come_in_a_header_or_as_a_subprotocol(alice: Person, room: int) -> None:
    address = f"{alice.server.ws}/ws/chat/{room}"
    headers = {"Authorization": f"Bearer {alice.token}"}
    async with websockets.connect(address, additional_headers=headers) as socket:
        assert (await Seat(socket).hears("ready"))["user"]["username"] == alice.username
    offered = [websockets.Subprotocol("bearer"), websockets.Subprotocol(alice.token)]
    async with websockets.connect(address, subprotocols=offered) as socket:
        assert socket.subprotocol == "bearer", "a browser insists on an answer, and the token is none"
        assert (await Seat(socket).hears("ready"))["user"]["username"] == alice.username


@pytest.mark.parametrize(
    "place, code",
    [
        ("/ws/chat/{room}", 4401),
        ("/ws/chat/{room}?token=", 4401),
        ("/ws/chat/{room}?token=nonsense", 4401),
        ("/ws/chat/9007199254740991?token={token}", 4404),
        ("/ws/chat/general?token={token}", 4400),
        ("/ws/chat/0?token={token}", 4400),
        ("/ws/chat/{room}?token={token}&since=yesterday", 4400),
    ],
)
async def test_who_cannot_come_in_is_told_why_by_the_close_code(
    alice: Person, room: int, place: str, code: int
) -> None:
    """After the handshake: a browser never sees why one was refused."""
    address = alice.server.ws + place.format(room=room, token=alice.token)
    async with websockets.connect(address) as socket:
        assert await Seat(socket).is_closed() == code
