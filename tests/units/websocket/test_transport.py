"""Payloads: events that are encoded once, and cut into portions for a long catch-up."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from app.websocket.transport import PORTION_BYTES, Payload, portions
from tests.support.fakes import bodies_of

BODIES = st.lists(st.binary(max_size=300), max_size=20)
LARGE = st.lists(st.integers(1, 2 * PORTION_BYTES), max_size=20).map(lambda sizes: [b"x" * n for n in sizes])


@given(BODIES)
def test_a_payload_has_one_frame_for_each_event_in_one_piece(bodies: list[bytes]) -> None:
    frames = Payload(bodies).frames
    assert frames == b"".join(Frame(Opcode.TEXT, body).serialize(mask=False) for body in bodies)
    assert bodies_of(frames) == bodies


@given(LARGE)
def test_portions_have_every_event_in_order_and_a_bounded_size(bodies: list[bytes]) -> None:
    cut = list(portions(bodies))
    assert [body for portion in cut for body in portion] == bodies
    assert all(sum(map(len, portion)) <= PORTION_BYTES or len(portion) == 1 for portion in cut)
    sizes = [sum(map(len, portion)) for portion in cut]
    assert all(
        size + len(following[0]) > PORTION_BYTES for size, following in zip(sizes, cut[1:], strict=False)
    ), "no portion is smaller than it needs to be"
