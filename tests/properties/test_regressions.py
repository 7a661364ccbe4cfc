"""Bugs that the state machine found, in their shortest form."""

from tests.support.people import Person


async def test_a_read_receipt_in_an_empty_room_is_acknowledged_with_id_0(alice: Person, room: int) -> None:
    async with alice.enters(room) as seat:
        await seat.does("read", id=1, ref="empty")
        assert (await seat.hears("ack", ref="empty"))["id"] == 0


async def test_a_retry_is_a_duplicate_even_if_its_reply_to_is_unknown(alice: Person, room: int) -> None:
    async with alice.enters(room) as seat:
        await seat.says("the original", client_id="name", ref=1)
        first = await seat.hears("ack", ref=1)
        await seat.says("something else", client_id="name", reply_to=99, ref=2)
        again = await seat.hears("ack", ref=2)
    assert (again["id"], again["seq"], again["duplicate"]) == (first["id"], first["seq"], True)
