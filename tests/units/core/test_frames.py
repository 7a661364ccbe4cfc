"""Frames that are made once and shared: byte for byte what a WebSocket library would send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from app.core.serving.frames import PING, text_frame
from app.websocket.transport import Payload

LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 300_000]


def parsed(data: bytes) -> list[Frame]:
    """What websockets' own parser reads."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    frames = []
    while reader.buffer:
        parser = Frame.parse(reader.read_exact, mask=False)
        with pytest.raises(StopIteration) as done:
            next(parser)
        frames.append(done.value.value)
    return frames


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_of_any_length_reads_back(length: int) -> None:
    payload = b"x" * length
    (frame,) = parsed(text_frame(payload))
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, payload)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_is_the_shortest_there_is(length: int) -> None:
    payload = b"x" * length
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_many_events_are_many_frames_in_one_piece(bodies: list[bytes]) -> None:
    assert [bytes(frame.data) for frame in parsed(Payload(bodies).frames)] == bodies


def test_a_ping_is_a_ping() -> None:
    (frame,) = parsed(PING)
    assert (frame.opcode, bytes(frame.data)) == (Opcode.PING, b"")
