"""The protocol, fed by hand: however TCP splits the bytes, the same messages arrive."""

import asyncio
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sockets.fakes import LIMIT, RecordingConnection
from tests.support.rawclient import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture
def connection(loop: asyncio.AbstractEventLoop) -> RecordingConnection:
    return RecordingConnection(loop)


@pytest.mark.parametrize("length", [0, 1, 125, 126, LIMIT])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_frame_split_at_any_byte_arrives_whole(
    connection: RecordingConnection, length: int, opcode: int
) -> None:
    message = frame(b"x" * length, opcode)
    for cut in range(1, len(message)):
        connection.receives(message, [cut])
    assert connection.messages == [(b"x" * length, opcode == TEXT)] * (len(message) - 1)


def test_frames_that_arrive_byte_by_byte_are_read(connection: RecordingConnection) -> None:
    message = frame(b"hello", TEXT) + frame(b"x" * 200, BINARY)
    connection.receives(message, list(range(len(message))))
    assert connection.messages == [(b"hello", True), (b"x" * 200, False)]


def test_an_oversized_frame_is_skipped_wherever_it_is_split(connection: RecordingConnection) -> None:
    data = frame(b"before") + frame(b"x" * (LIMIT + 1)) + frame(b"after")
    for cut in range(len(data)):
        connection.receives(data, [cut])
    assert connection.messages == [(b"before", True), (b"after", True)] * len(data)
    assert connection.oversized == len(data)


PAYLOADS = st.binary(max_size=40) | st.binary(min_size=120, max_size=130) | st.just(b"x" * LIMIT)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, list[tuple[bytes, bool]], list[bytes], int, int]:
    """Bytes from a client; their messages and pings, and how many frames are oversized or carry no message."""
    data, messages, pings, oversized, control_frames = b"", [], [], 0, 0
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["whole", "fragments", "ping", "pong", "oversized"]))
        opcode = draw(st.sampled_from([TEXT, BINARY]))
        if kind == "whole":
            payload = draw(PAYLOADS)
            data += frame(payload, opcode)
            messages.append((payload, opcode == TEXT))
        elif kind == "fragments":
            fragments = draw(st.lists(st.binary(max_size=30), min_size=2, max_size=5))
            for index, fragment in enumerate(fragments):
                ping = draw(st.none() | st.binary(max_size=10))
                if ping is not None:  # control frames may arrive between the fragments of a message
                    data += frame(ping, PING)
                    pings.append(ping)
                data += frame(fragment, CONTINUATION if index else opcode, fin=index == len(fragments) - 1)
            messages.append((b"".join(fragments), opcode == TEXT))
            control_frames += len(fragments)
        elif kind == "ping":
            pings.append(draw(st.binary(max_size=125)))
            data += frame(pings[-1], PING)
        elif kind == "pong":
            data += frame(b"", PONG)
            control_frames += 1
        else:
            oversized += 1
            data += frame(b"x" * draw(st.integers(LIMIT + 1, 3 * LIMIT)), opcode)
    return data, messages, pings, oversized, control_frames + len(pings)


def pongs(written: bytes) -> list[bytes]:
    """The payloads of these frames, all of which must be pongs."""
    found = []
    while written:
        first, length = written[:2]
        assert first == 0x80 | PONG
        found.append(written[2 : 2 + length])
        written = written[2 + length :]
    return found


def test_every_ping_is_answered_in_its_order(connection: RecordingConnection) -> None:
    """RFC 6455 section 5.5.2; Autobahn 2.10."""
    pings = [b"one", b"two", b"", b"x" * 125]
    connection.receives(b"".join(frame(ping, PING) for ping in pings), [])
    for ping in pings:
        connection.receives(frame(ping, PING), [])
    assert pongs(bytes(connection.transport.written)) == pings * 2
    assert connection.control_frames == 8


@pytest.mark.parametrize(
    "message",
    [frame(b"x"), frame(b"x", fin=False) + frame(b"", PING) + frame(b"", CONTINUATION)],
    ids=["whole", "in fragments"],
)
def test_a_ping_is_answered_before_a_message_that_follows_it(
    connection: RecordingConnection, message: bytes
) -> None:
    """Autobahn 5.6."""
    connection.echoes = True
    connection.receives(frame(b"first", PING) + message + frame(b"last", PING), [])
    written = bytes(connection.transport.written)
    place = [written.index(what) for what in (b"\x8a\x05first", b"\x81\x01x", b"\x8a\x04last")]
    assert place == sorted(place)


def test_a_ping_just_before_a_close_frame_is_answered_and_one_after_it_is_not(
    connection: RecordingConnection,
) -> None:
    close = frame((1000).to_bytes(2, "big"), CLOSE)
    connection.receives(frame(b"1", PING) + close + frame(b"2", PING), [])
    assert bytes(connection.transport.written) == b"\x8a\x011\x88\x02" + (1000).to_bytes(2, "big")


def test_a_close_frame_in_the_middle_of_a_message_is_answered_with_its_code(
    connection: RecordingConnection,
) -> None:
    """RFC 6455 section 5.4: control frames may come between fragments. Autobahn 5.4."""
    close = frame((1000).to_bytes(2, "big") + b"bye", CLOSE)
    connection.receives(frame(b"half", fin=False) + close, [])
    assert bytes(connection.transport.written[:4]) == b"\x88\x05" + (1000).to_bytes(2, "big")
    assert connection.messages == []
    assert connection.transport.is_closed


@pytest.mark.parametrize("part", [b"x", b""], ids=["bytes", "empty"])
def test_a_message_may_have_any_number_of_fragments(loop: asyncio.AbstractEventLoop, part: bytes) -> None:
    """Its bytes are bounded; and each fragment counts toward the rate limit."""
    connection = RecordingConnection(loop)
    count = LIMIT if part else 20_000
    fragments = [frame(part, fin=False), *[frame(part, CONTINUATION, fin=False)] * (count - 2)]
    tracemalloc.start()
    connection.receives(b"".join(fragments), [])
    before = tracemalloc.get_traced_memory()[0]
    connection.receives(b"".join(fragments[1:]) if not part else b"", [])
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 10_000
    assert connection.messages == []
    connection.receives(frame(part, CONTINUATION), [])
    assert connection.messages == [(part * count, True)]
    assert connection.control_frames >= count


@pytest.mark.parametrize("start", [b"", frame(b"x", fin=False)], ids=["first", "later"])
def test_an_oversized_fragment_closes_the_connection_with_1009(
    connection: RecordingConnection, start: bytes
) -> None:
    """Skipped like a whole message, it would be missing from its own."""
    fragment = frame(b"x" * (LIMIT + 1), CONTINUATION if start else TEXT, fin=False)
    connection.receives(start + fragment + frame(b"x", CONTINUATION), [])
    assert (connection.messages, connection.oversized) == ([], 0)
    assert bytes(connection.transport.written[2:4]) == (1009).to_bytes(2, "big")


@given(conversations(), st.lists(st.integers(0, 5000), max_size=30))
@settings(deadline=None, max_examples=300)
def test_any_sequence_of_frames_is_read_correctly_however_it_is_split(
    loop: asyncio.AbstractEventLoop,
    sent: tuple[bytes, list[tuple[bytes, bool]], list[bytes], int, int],
    cuts: list[int],
) -> None:
    data, messages, pings, oversized, control_frames = sent
    connection = RecordingConnection(loop)
    connection.receives(data, cuts)
    assert connection.messages == messages
    assert connection.oversized == oversized
    assert connection.control_frames == control_frames
    answered = pongs(bytes(connection.transport.written))
    assert answered == pings
    assert not connection.transport.is_closed


BROKEN = {
    "no mask": frame(b"x", masked=False),
    "a reserved bit": frame(b"x", rsv=4),
    "an unknown opcode": frame(b"x", 0x3),
    "a continuation without a first fragment": frame(b"x", CONTINUATION),
    "a message between two fragments": frame(b"x", fin=False) + frame(b"y"),
    "an oversized ping": frame(b"x" * 126, PING),
    "a fragmented ping": frame(b"x", PING, fin=False),
    "half a close code": frame(b"x", CLOSE),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("cuts", [[], list(range(20))], ids=["in one piece", "byte by byte"])
def test_a_protocol_error_closes_the_connection_with_1002(
    connection: RecordingConnection, what: str, cuts: list[int]
) -> None:
    connection.receives(frame(b"before") + BROKEN[what], cuts)
    assert connection.messages == [(b"before", True)]
    assert connection.transport.is_closed
    written = bytes(connection.transport.written)
    assert written[:4] == bytes((0x88, len(written) - 2)) + (1002).to_bytes(2, "big")


def test_a_fragmented_message_over_the_limit_closes_the_connection_with_1009(
    connection: RecordingConnection,
) -> None:
    connection.receives(frame(b"x" * 200, fin=False) + frame(b"x" * 200, CONTINUATION), [])
    assert connection.messages == []
    assert bytes(connection.transport.written[2:4]) == (1009).to_bytes(2, "big")


def test_closing_a_connection_that_the_client_has_closed_does_nothing(
    connection: RecordingConnection,
) -> None:
    """As when the server stops while a client disconnects; an error would deprive other clients of their goodbye."""
    connection.receives(frame((1000).to_bytes(2, "big"), CLOSE), [])
    answer = bytes(connection.transport.written)
    connection.socket.close(1012)
    connection.socket.shutdown()
    assert bytes(connection.transport.written) == answer == b"\x88\x02" + (1000).to_bytes(2, "big")
    assert connection.messages == []


def test_frames_sent_before_the_handshake_response_are_delivered_after_it(
    loop: asyncio.AbstractEventLoop,
) -> None:
    """RFC 6455 section 4.1 does not allow a client to send so early, but nothing is lost."""
    first, second = frame(b"one") + frame(b"two")[:3], frame(b"two")[3:]
    connection = RecordingConnection(loop, early=first)
    connection.receives(second, [])
    assert connection.messages == [(b"one", True), (b"two", True)]


def test_after_sending_a_close_frame_the_server_waits_only_for_its_answer(
    connection: RecordingConnection,
) -> None:
    """RFC 6455 section 7.1.1."""

    async def close() -> None:
        connection.socket.close(4408, "too slow")

    connection.run(close())
    written = bytes(connection.transport.written)
    connection.receives(frame(b"late") + frame(b"x", PING) + frame(b"x", fin=False), [])
    found = (connection.messages, bytes(connection.transport.written), connection.transport.is_closed)
    assert found == ([], written, False)
    connection.receives(frame((4408).to_bytes(2, "big"), CLOSE), [])
    assert connection.transport.is_closed


def test_an_owner_may_pause_reading_before_the_first_byte(loop: asyncio.AbstractEventLoop) -> None:
    """The first events take time to prepare; commands sent meanwhile must stay in the client's buffers."""
    connection = RecordingConnection(loop, pauses=True)
    assert connection.transport.is_paused
    connection.run(_resume(connection))
    assert not connection.transport.is_paused


async def _resume(connection: RecordingConnection) -> None:
    connection.socket.resume_reading()


@pytest.mark.parametrize("cause", ["oversized frame", "oversized message", "close frame of the client"])
def test_nothing_is_written_after_a_close_frame(connection: RecordingConnection, cause: str) -> None:
    data = {
        "oversized frame": b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"mask",
        "oversized message": frame(b"", fin=False) + frame(b"x" * 200, CONTINUATION, fin=False) * 2,
        "close frame of the client": frame((1000).to_bytes(2, "big"), CLOSE),
    }[cause]
    connection.receives(data, [])
    assert connection.has_closed
    written = bytes(connection.transport.written)
    connection.socket.write(b"more")
    assert bytes(connection.transport.written) == written
