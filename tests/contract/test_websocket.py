"""The document's section «WebSocket Connection»."""

import json

from tests.support.people import Person


async def test_connect_to_chat_room_and_send_message(alice: Person, bob: Person, room: int) -> None:
    async with alice.enters(room) as here, bob.enters(room) as there:
        await here.socket.send('{"type": "message", "content": "Hello, world!"}')
        for seat in (here, there):
            heard = await seat.hears("message")
            assert heard["room_id"] == room
            assert heard["sender"] == alice.username
            assert heard["message"] == "Hello, world!"
            assert len(heard["timestamp"]) == len("2024-01-01T12:00:00")


async def test_a_binary_frame_is_as_good_as_text(alice: Person, room: int) -> None:
    async with alice.enters(room) as here:
        await here.socket.send(json.dumps({"type": "message", "content": "from Swift"}).encode())
        assert (await here.hears("message"))["message"] == "from Swift"


async def test_send_typing_indicator(alice: Person, bob: Person, room: int) -> None:
    async with alice.enters(room) as here, bob.enters(room) as there:
        await here.does("typing")
        await here.says("done typing")
        assert (await there.hears("typing"))["user"] == alice.username
        await here.hears("message")
        assert "typing" not in {frame["type"] for frame in here.heard}, "the author does not hear of it"
