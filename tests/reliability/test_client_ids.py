"""A message with a client id is stored once, however often it is sent, over sockets or REST."""

import asyncio

from tests.support.people import Frame, Person, Seat

SOCKETS, EACH, OVER_REST = 5, 10, 50


async def test_a_hundred_concurrent_sends_with_one_client_id_store_one_message(
    alice: Person, bob: Person, room: int
) -> None:
    async with bob.enters(room) as listener:
        answers = await asyncio.gather(
            *(send_over_a_socket(alice, room) for _ in range(SOCKETS)), send_over_rest(alice, room)
        )
        all_answers = [answer for some in answers for answer in some]
        assert len(all_answers) == SOCKETS * EACH + OVER_REST
        assert len({(answer["id"], answer["seq"], answer["created_at"]) for answer in all_answers}) == 1
        assert sum(not answer.get("duplicate") for answer in all_answers) == 1, (
            "not exactly one answer is for a new message"
        )
        [stored] = await alice.history(room)
        assert (stored["message"], stored["client_id"]) == ("just once", "a name")
        await listener.says("and this is next")
        heard = [await listener.hears("message"), await listener.hears("message")]
        assert [message["id"] for message in heard] == [1, 2], "a listener heard the message twice"


async def send_over_a_socket(alice: Person, room: int) -> list[Frame]:
    async with alice.enters(room) as seat:
        for number in range(EACH):
            await seat.says("just once", client_id="a name", ref=number)
        return [await ack_of(seat, number) for number in range(EACH)]


async def ack_of(seat: Seat, ref: int) -> Frame:
    return await seat.hears("ack", ref=ref, client_id="a name")


async def send_over_rest(alice: Person, room: int) -> list[Frame]:
    draft = {"content": "just once", "client_id": "a name"}
    answers = await asyncio.gather(
        *(alice.http.post(f"/api/messages/{room}", json=draft) for _ in range(OVER_REST))
    )
    for answer in answers:
        assert answer.status_code == (200 if answer.json().get("duplicate") else 201)
    return [answer.json() for answer in answers]
