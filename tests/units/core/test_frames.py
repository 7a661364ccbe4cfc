"""Encoded frames: byte for byte what a WebSocket library would send."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from app.core.serving.frames import FIN_BINARY, PING, parse_header, text_frame

LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 300_000]


def parsed(data: bytes) -> Frame:
    """The only frame in `data`, as websockets' own parser reads it."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    parser = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parser)
    assert not reader.buffer
    frame: Frame = done.value.value
    return frame


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_of_any_length_reads_back(length: int) -> None:
    payload = b"x" * length
    frame = parsed(text_frame(payload))
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, payload)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_has_the_shortest_possible_header(length: int) -> None:
    payload = b"x" * length
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_a_ping_is_an_empty_ping_frame() -> None:
    frame = parsed(PING)
    assert (frame.opcode, bytes(frame.data)) == (Opcode.PING, b"")


@pytest.mark.parametrize("is_masked", [True, False])
@pytest.mark.parametrize("length", LENGTHS)
def test_the_header_of_a_frame_says_where_its_payload_is(length: int, is_masked: bool) -> None:
    before, payload = b"another frame", b"x" * length
    data = before + Frame(Opcode.BINARY, payload).serialize(mask=is_masked)
    first, masked, end_of_header, found = parse_header(data, len(before))
    assert (first, masked, found) == (FIN_BINARY, is_masked, length)
    assert end_of_header + (4 if is_masked else 0) + length == len(data)


@pytest.mark.parametrize("length", [126, 65_536])
def test_an_incomplete_header_ends_behind_the_data(length: int) -> None:
    header = Frame(Opcode.TEXT, b"x" * length).serialize(mask=False)[:-length]
    for cut in range(2, len(header)):
        assert parse_header(header[:cut], 0)[2] > cut
    assert parse_header(header, 0)[2] == len(header)
