"""The client side of RFC 6455, as much of it as the load needs."""

import base64
import os
import struct

MASK = bytes.fromhex("5af0379c")
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class ProtocolError(Exception):
    """The server sent something that the load does not expect."""


def handshake(path: str, host: str) -> bytes:
    """The request that opens a socket. It offers no extension, so nothing is compressed."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One masked frame. The mask is constant: a load has nothing to hide from proxies."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    else:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    return head + MASK + _masked(payload)


def _masked(payload: bytes) -> bytes:
    size = len(payload)
    key = (MASK * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def next_frame(data: bytes, at: int) -> tuple[int, int, int] | None:
    """`(opcode, start, end)` of the payload of the frame that begins at `at`, or None if the frame is incomplete."""
    end = len(data)
    if end - at < 2:
        return None
    size, start = data[at + 1], at + 2
    if size == 126:
        start = at + 4
        size = data[at + 2] << 8 | data[at + 3] if start <= end else end
    elif size == 127:
        start = at + 10
        size = int.from_bytes(data[at + 2 : start], "big") if start <= end else end
    return None if start + size > end else (data[at] & 15, start, start + size)


class Frames:
    """Converts chunks of bytes to complete frames, as `(opcode, payload)`."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames completed by `data`. None of the servers is expected to fragment messages."""
        if self._rest:
            data = self._rest + data
        found, at = [], 0
        while frame := next_frame(data, at):
            opcode, start, at = frame
            found.append((opcode, data[start:at]))
        self._rest = data[at:]
        return found
