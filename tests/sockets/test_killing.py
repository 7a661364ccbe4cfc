"""`kill -9` in a burst of 2,000 messages from 20 senders: every message that a client heard survives the restart."""

import asyncio

from tests.sockets.bursts import Burst, assert_nothing_is_lost, burst, whole_history
from tests.support.people import Person, sign_in
from tests.support.server import ChatServer

SENDERS, EACH = 20, 100


async def test_every_echoed_message_survives_a_kill(own_server: ChatServer) -> None:
    async with burst(own_server, SENDERS) as talk:
        listening = [asyncio.create_task(talk.listen(sender)) for sender in range(SENDERS)]
        talking = [asyncio.create_task(talk.talk(sender, EACH)) for sender in range(SENDERS)]
        await talk.until_all_have_heard(300)
        await asyncio.to_thread(own_server.kill)
        await asyncio.gather(*listening, *talking)
    heard = {len(frames) for frames in talk.heard}
    assert 300 <= max(heard) < SENDERS * EACH, "the server was not killed in the middle of the burst"
    await asyncio.to_thread(own_server.start)
    person = await sign_in(own_server, "sender")
    assert_nothing_is_lost(talk, await whole_history(person, talk.room))
    await send_everything_again(person, talk)
    await person.http.aclose()


async def send_everything_again(person: Person, talk: Burst) -> None:
    """Sending every message again with its `client_id` stores the missing ones, and none twice."""
    async with person.enters(talk.room) as seat:
        for content in talk.sent:
            await seat.says(content, client_id=content)
        for _ in talk.sent:
            await seat.hears("ack")
    again = await whole_history(person, talk.room)
    assert sorted(message["message"] for message in again) == sorted(talk.sent)
