"""However TCP cuts the bytes, the same messages come out: the protocol itself, fed by hand."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from app.core.rawsocket import RawSocketProtocol
from tests.support.rawclient import BINARY, CLOSE, CONTINUATION, HANDSHAKE, PING, PONG, TEXT, frame

LIMIT = 300
"""Bytes of a frame; also of a message in parts."""


class Pipe(asyncio.Transport):
    """What the protocol writes, kept."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_over = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_over

    def close(self) -> None:
        self.is_over = True

    def abort(self) -> None:
        self.is_over = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class End:
    """The server's end of an open connection: what came out of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.messages: list[tuple[bytes, bool]] = []
        self.oversized = 0
        self.pipe = Pipe()
        config = uvicorn.Config(
            self._accept, interface="asgi3", log_config=None, ws_max_size=LIMIT, ws_per_message_deflate=False
        )
        self.protocol = RawSocketProtocol(config, ServerState(), {}, loop)
        self.protocol.connection_made(self.pipe)
        self.protocol.data_received(HANDSHAKE.format(path="/", port=1, headers="").encode())
        loop.run_until_complete(asyncio.sleep(0))
        assert self.pipe.written.startswith(b"HTTP/1.1 101 ")
        self.pipe.written.clear()
        self.protocol.attach(self._sink, lambda: None, self._oversize, lambda: None)

    async def _accept(self, _scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    def _sink(self, payload: bytes, is_text: bool) -> None:
        self.messages.append((bytes(payload), is_text))

    def _oversize(self) -> None:
        self.oversized += 1

    def takes(self, data: bytes, cuts: list[int]) -> None:
        places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
        for start, stop in itertools.pairwise(places):
            if start < stop:
                self.protocol.data_received(data[start:stop])


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
def conversations(draw: st.DrawFn) -> tuple[bytes, list[tuple[bytes, bool]], list[bytes], int]:
    """Bytes from a client; the messages and pings in them, and how many frames are too large."""
    data, messages, pings, oversized = b"", [], [], 0
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
        elif kind == "ping":
            pings.append(draw(st.binary(max_size=125)))
            data += frame(pings[-1], PING)
        elif kind == "pong":
            data += frame(b"", PONG)
        else:
            oversized += 1
            data += frame(b"x" * draw(st.integers(LIMIT + 1, 3 * LIMIT)), opcode)
    return data, messages, pings, oversized


@given(conversations(), st.lists(st.integers(0, 5000), max_size=30))
@settings(deadline=None, max_examples=300)
def test_any_conversation_in_any_pieces(
    loop: asyncio.AbstractEventLoop,
    said: tuple[bytes, list[tuple[bytes, bool]], list[bytes], int],
    cuts: list[int],
) -> None:
    data, messages, pings, oversized = said
    end = End(loop)
    end.takes(data, cuts)
    assert end.messages == messages
    assert end.oversized == oversized
    assert bytes(end.pipe.written) == b"".join(frame(ping, PONG, masked=False) for ping in pings)
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
    end.protocol.close(1012)
    end.protocol.shutdown()
    assert bytes(end.pipe.written) == answer == b"\x88\x02" + (1000).to_bytes(2, "big")
    assert end.messages == []
