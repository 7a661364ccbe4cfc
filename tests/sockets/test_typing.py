"""However often a client sends `typing`, other listeners hear it once in two seconds."""

import asyncio
import contextlib
import time

from app.websocket.presence import TYPING_SECONDS
from tests.support.people import Person

TOO_OFTEN = 30


async def test_a_flood_of_typing_over_two_connections_of_a_user_is_heard_once(
    alice: Person, bob: Person, room: int
) -> None:
    async with alice.enters(room) as phone, alice.enters(room) as laptop, bob.enters(room) as there:
        for seat in (phone, laptop):
            for _ in range(TOO_OFTEN):
                await seat.does("typing")
            await seat.does("ping")
            await seat.hears("pong")
        await phone.says("sent")
        await there.hears("message")
        assert [frame["type"] for frame in there.heard].count("typing") == 1


async def test_a_user_who_goes_on_typing_is_heard_again(alice: Person, bob: Person, room: int) -> None:
    async with alice.enters(room) as here, bob.enters(room) as there:
        await here.does("typing")
        await there.hears("typing")
        start = time.monotonic()
        while [frame["type"] for frame in there.heard].count("typing") < 2:
            await here.does("typing")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(there.next(), 0.1)
        assert TYPING_SECONDS - 0.2 < time.monotonic() - start < TYPING_SECONDS + 5


async def test_typing_of_each_user_is_heard_in_each_room(alice: Person, bob: Person, room: int) -> None:
    other: int = (await alice.http.post("/api/rooms", json={"name": "Next door"})).json()["id"]
    async with alice.connects() as here, bob.connects() as there:
        for number in (room, other):
            for seat in (here, there):
                await seat.does("subscribe", room_id=number)
                await seat.hears("synced")
        for number in (room, other):
            for seat, listener in ((here, there), (there, here)):
                await seat.does("typing", room_id=number)
                await listener.hears("typing", room_id=number)
