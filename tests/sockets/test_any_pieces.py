"""However TCP cuts the bytes, the same messages come out: the protocol itself, fed by hand."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sockets.pipe import LIMIT, End
from tests.support.rawclient import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture
def end(loop: asyncio.AbstractEventLoop) -> End:
    return End(loop)


@pytest.mark.parametrize("length", [0, 1, 125, 126, LIMIT])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_frame_cut_at_any_byte_comes_whole(end: End, length: int, opcode: int) -> None:
    message = frame(b"x" * length, opcode)
    for cut in range(1, len(message)):
        end.takes(message, [cut])
    assert end.messages == [(b"x" * length, opcode == TEXT)] * (len(message) - 1)


def test_a_frame_may_come_byte_by_byte(end: End) -> None:
    message = frame(b"hello", TEXT) + frame(b"x" * 200, BINARY)
    end.takes(message, list(range(len(message))))
    assert end.messages == [(b"hello", True), (b"x" * 200, False)]


def test_an_oversized_frame_is_passed_over_however_it_is_cut(end: End) -> None:
    data = frame(b"before") + frame(b"x" * (LIMIT + 1)) + frame(b"after")
    for cut in range(len(data)):
        end.takes(data, [cut])
    assert end.messages == [(b"before", True), (b"after", True)] * len(data)
    assert end.oversized == len(data)


PAYLOADS = st.binary(max_size=40) | st.binary(min_size=120, max_size=130) | st.just(b"x" * LIMIT)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, list[tuple[bytes, bool]], list[bytes], int, int]:
    """Bytes from a client; the messages and pings in them, how many frames are too large, and how many say nothing."""
    data, messages, pings, oversized, control_frames = b"", [], [], 0, 0
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["whole", "parts", "ping", "pong", "oversized"]))
        opcode = draw(st.sampled_from([TEXT, BINARY]))
        if kind == "whole":
            payload = draw(PAYLOADS)
            data += frame(payload, opcode)
            messages.append((payload, opcode == TEXT))
        elif kind == "parts":
            parts = draw(st.lists(st.binary(max_size=30), min_size=2, max_size=5))
            for place, part in enumerate(parts):
                ping = draw(st.none() | st.binary(max_size=10))
                if ping is not None:  # control frames may come between the parts of a message
                    data += frame(ping, PING)
                    pings.append(ping)
                data += frame(part, CONTINUATION if place else opcode, fin=place == len(parts) - 1)
            messages.append((b"".join(parts), opcode == TEXT))
            control_frames += len(parts)
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
    """What is in these frames, which are all of them pongs."""
    found = []
    while written:
        first, length = written[:2]
        assert first == 0x80 | PONG
        found.append(written[2 : 2 + length])
        written = written[2 + length :]
    return found


def test_of_pings_that_come_together_the_last_is_answered_and_others_each(end: End) -> None:
    """RFC 6455 section 5.5.3."""
    pings = [b"one", b"two", b"", b"four"]
    end.takes(b"".join(frame(ping, PING) for ping in pings), [])
    assert pongs(bytes(end.pipe.written)) == [b"four"]
    for ping in pings:
        end.takes(frame(ping, PING), [])
    assert pongs(bytes(end.pipe.written)) == [b"four", *pings]
    assert end.control_frames == 8


def test_a_ping_before_a_close_is_not_answered_after_it(end: End) -> None:
    end.takes(frame(b"still there?", PING) + frame((1000).to_bytes(2, "big"), CLOSE), [])
    assert end.pipe.written[0] == 0x80 | CLOSE
    assert len(end.pipe.written) == 4


@given(conversations(), st.lists(st.integers(0, 5000), max_size=30))
@settings(deadline=None, max_examples=300)
def test_any_conversation_in_any_pieces(
    loop: asyncio.AbstractEventLoop,
    said: tuple[bytes, list[tuple[bytes, bool]], list[bytes], int, int],
    cuts: list[int],
) -> None:
    data, messages, pings, oversized, control_frames = said
    end = End(loop)
    end.takes(data, cuts)
    assert end.messages == messages
    assert end.oversized == oversized
    assert end.control_frames == control_frames
    answered = pongs(bytes(end.pipe.written))
    waiting = iter(pings)
    assert all(pong in waiting for pong in answered), "in their order"
    assert answered[-1:] == pings[-1:]
    assert not end.pipe.is_over


BROKEN = {
    "no mask": frame(b"x", masked=False),
    "a reserved bit": frame(b"x", rsv=4),
    "an unknown opcode": frame(b"x", 0x3),
    "a continuation of nothing": frame(b"x", CONTINUATION),
    "a message inside a message": frame(b"x", fin=False) + frame(b"y"),
    "a long ping": frame(b"x" * 126, PING),
    "a ping in parts": frame(b"x", PING, fin=False),
    "half a close code": frame(b"x", CLOSE),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("cuts", [[], list(range(20))], ids=["in one piece", "in many"])
def test_what_breaks_the_protocol_ends_the_connection_with_1002(end: End, what: str, cuts: list[int]) -> None:
    end.takes(frame(b"before") + BROKEN[what], cuts)
    assert end.messages == [(b"before", True)]
    assert end.pipe.is_over
    assert bytes(end.pipe.written[:4]) == bytes((0x88, len(end.pipe.written) - 2)) + (1002).to_bytes(2, "big")


def test_parts_that_add_up_to_too_much_end_the_connection_with_1009(end: End) -> None:
    end.takes(frame(b"x" * 200, fin=False) + frame(b"x" * 200, CONTINUATION), [])
    assert end.messages == []
    assert bytes(end.pipe.written[2:4]) == (1009).to_bytes(2, "big")


def test_whoever_has_closed_already_can_be_closed_again(end: End) -> None:
    """As happens when the server stops while somebody leaves; an error would keep the others from their goodbye."""
    end.takes(frame((1000).to_bytes(2, "big"), CLOSE), [])
    answer = bytes(end.pipe.written)
    end.socket.close(1012)
    end.socket.shutdown()
    assert bytes(end.pipe.written) == answer == b"\x88\x02" + (1000).to_bytes(2, "big")
    assert end.messages == []


def test_who_talks_before_the_answer_is_heard_after_it(loop: asyncio.AbstractEventLoop) -> None:
    """In whichever pieces; it is not what RFC 6455 section 4.1 allows, but no reason to lose anything."""
    first, second = frame(b"one") + frame(b"two")[:3], frame(b"two")[3:]
    end = End(loop, early=first)
    end.takes(second, [])
    assert end.messages == [(b"one", True), (b"two", True)]


def test_who_was_closed_is_only_waited_for(end: End) -> None:
    """After our close frame nothing that comes counts, until theirs comes (RFC 6455 section 7.1.1)."""

    async def close() -> None:
        end.socket.close(4408, "too slow")

    end.run(close())
    said = bytes(end.pipe.written)
    end.takes(frame(b"late") + frame(b"x", PING) + frame(b"x", fin=False), [])
    assert (end.messages, bytes(end.pipe.written), end.pipe.is_over) == ([], said, False)
    end.takes(frame((4408).to_bytes(2, "big"), CLOSE), [])
    assert end.pipe.is_over


def test_whoever_is_held_back_from_the_first_moment_stays_so(loop: asyncio.AbstractEventLoop) -> None:
    """A welcome takes its time; what comes meanwhile must stay with the sender."""
    end = End(loop, holds=True)
    assert end.pipe.is_paused
    end.run(_resume(end))
    assert not end.pipe.is_paused


async def _resume(end: End) -> None:
    end.socket.resume_reading()


@pytest.mark.parametrize("farewell", ["too large", "too many parts", "theirs"])
def test_after_any_close_frame_the_owner_writes_nothing_more(end: End, farewell: str) -> None:
    data = {
        "too large": b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"mask",
        "too many parts": frame(b"", fin=False) + frame(b"", CONTINUATION, fin=False) * 1001,
        "theirs": frame((1000).to_bytes(2, "big"), CLOSE),
    }[farewell]
    end.takes(data, [])
    assert end.has_left
    said = bytes(end.pipe.written)
    end.socket.write(b"more")
    assert bytes(end.pipe.written) == said
