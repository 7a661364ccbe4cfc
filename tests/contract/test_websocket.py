"""The section "WebSocket Connection" of the document: the address, two messages to send and one to receive."""

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


async def test_a_binary_frame_is_accepted_like_a_text_frame(alice: Person, room: int) -> None:
    """The document's Swift client sends `.data`."""
    async with alice.enters(room) as here:
        await here.socket.send(SEND_MESSAGE.encode())
        assert (await here.hears("message"))["message"] == "Hello, world!"


async def test_events_are_text_frames_even_after_a_binary_command(alice: Person, room: int) -> None:
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
        assert "typing" not in {frame["type"] for frame in here.heard}, (
            "typing is not sent back to its author"
        )


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
        assert socket.subprotocol == "bearer", "browsers need one to be selected, and never the token"
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
async def test_a_refused_connection_is_closed_with_a_code_that_says_why(
    alice: Person, room: int, place: str, code: int
) -> None:
    """After the handshake, since browsers hide why a handshake was refused."""
    address = alice.server.ws + place.format(room=room, token=alice.token)
    async with websockets.connect(address) as socket:
        assert await Seat(socket).is_closed() == code
