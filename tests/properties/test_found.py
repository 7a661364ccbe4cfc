"""What the state machine found, in the shortest form."""

from tests.support.people import Person


async def test_reading_in_a_room_without_messages(alice: Person, room: int) -> None:
    async with alice.enters(room) as seat:
        await seat.does("read", id=1, ref="empty")
        assert (await seat.hears("ack", ref="empty"))["id"] == 0


async def test_a_retry_is_one_also_if_it_replies_to_nothing(alice: Person, room: int) -> None:
    async with alice.enters(room) as seat:
        await seat.says("the original", client_id="name", ref=1)
        first = await seat.hears("ack", ref=1)
        await seat.says("something else", client_id="name", reply_to=99, ref=2)
        again = await seat.hears("ack", ref=2)
    assert (again["id"], again["seq"], again["duplicate"]) == (first["id"], first["seq"], True)
