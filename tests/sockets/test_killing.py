"""`kill -9` in a burst of 2,000 messages from 20 senders: what anybody heard is there after the restart."""

import asyncio

from tests.sockets.bursts import Burst, assert_nothing_is_lost, burst, whole_history
from tests.support.people import Person, sign_in
from tests.support.server import ChatServer

SENDERS, EACH = 20, 100


async def test_what_was_echoed_survives_a_kill(own_server: ChatServer) -> None:
    async with burst(own_server, SENDERS) as talk:
        listening = [asyncio.create_task(talk.listen(sender)) for sender in range(SENDERS)]
        talking = [asyncio.create_task(talk.talk(sender, EACH)) for sender in range(SENDERS)]
        await talk.until_all_have_heard(300)
        await asyncio.to_thread(own_server.kill)
        await asyncio.gather(*listening, *talking)
    heard = {len(frames) for frames in talk.heard}
    assert 300 <= max(heard) < SENDERS * EACH, "it was killed in the middle"
    await asyncio.to_thread(own_server.start)
    person = await sign_in(own_server, "speaker")
    assert_nothing_is_lost(talk, await whole_history(person, talk.room))
    await sends_the_rest_again(person, talk)
    await person.http.aclose()


async def sends_the_rest_again(person: Person, talk: Burst) -> None:
    """Whoever sends everything again under the same `client_id` makes the story whole, and nothing comes twice."""
    async with person.enters(talk.room) as seat:
        for word in talk.said:
            await seat.says(word, client_id=word)
        for _ in talk.said:
            await seat.hears("ack")
    again = await whole_history(person, talk.room)
    assert sorted(message["message"] for message in again) == sorted(talk.said)
