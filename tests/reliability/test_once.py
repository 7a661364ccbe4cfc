"""A name given to a message makes it one message, however often, and by whatever way, it is sent."""

import asyncio

from tests.support.people import Frame, Person, Seat

SOCKETS, EACH, OVER_REST = 5, 10, 50


async def test_a_hundred_sends_under_one_name_at_once_are_one_message(
    alice: Person, bob: Person, room: int
) -> None:
    async with bob.enters(room) as listener:
        answers = await asyncio.gather(
            *(over_a_socket(alice, room) for _ in range(SOCKETS)), over_rest(alice, room)
        )
        told = [answer for some in answers for answer in some]
        assert len(told) == SOCKETS * EACH + OVER_REST
        assert len({(answer["id"], answer["seq"], answer["created_at"]) for answer in told}) == 1
        assert sum(not answer.get("duplicate") for answer in told) == 1, "it was new once"
        [stored] = await alice.history(room)
        assert (stored["message"], stored["client_id"]) == ("just once", "a name")
        await listener.says("and this is next")
        heard = [await listener.hears("message"), await listener.hears("message")]
        assert [message["id"] for message in heard] == [1, 2], "nobody heard it twice"


async def over_a_socket(alice: Person, room: int) -> list[Frame]:
    async with alice.enters(room) as seat:
        for number in range(EACH):
            await seat.says("just once", client_id="a name", ref=number)
        return [await answered(seat, number) for number in range(EACH)]


async def answered(seat: Seat, ref: int) -> Frame:
    return await seat.hears("ack", ref=ref, client_id="a name")


async def over_rest(alice: Person, room: int) -> list[Frame]:
    draft = {"content": "just once", "client_id": "a name"}
    answers = await asyncio.gather(
        *(alice.http.post(f"/api/messages/{room}", json=draft) for _ in range(OVER_REST))
    )
    for answer in answers:
        assert answer.status_code == (200 if answer.json().get("duplicate") else 201)
    return [answer.json() for answer in answers]
