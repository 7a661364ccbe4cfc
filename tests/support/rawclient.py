"""A WebSocket client that writes frames byte by byte, also those that no library would send (RFC 6455 section 5)."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support import frames
from tests.support.people import PATIENCE, Frame
from tests.support.server import ChatServer

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KEY = b"\x00\x01\x02\x03"
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
)


def frame(
    payload: bytes, opcode: int = TEXT, *, fin: bool = True, masked: bool = True, rsv: int = 0
) -> bytes:
    """A frame as a client sends it; `rsv` holds the three reserved bits."""
    length = len(payload)
    mask = 0x80 if masked else 0
    head = bytes((0x80 * fin | rsv << 4 | opcode,))
    if length < 126:
        head += bytes((mask | length,))
    elif length < 1 << 16:
        head += bytes((mask | 126,)) + length.to_bytes(2, "big")
    else:
        head += bytes((mask | 127,)) + length.to_bytes(8, "big")
    if not masked:
        return head + payload
    return head + KEY + bytes(byte ^ KEY[place % 4] for place, byte in enumerate(payload))


class RawClient:
    """A connection after the upgrade."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.head = b""
        """The server's answer to the handshake."""
        self.heard: list[Frame] = []

    async def sends(self, *pieces: bytes) -> None:
        """Write raw bytes."""
        self._writer.write(b"".join(pieces))
        await asyncio.wait_for(self._writer.drain(), PATIENCE)

    async def does(self, type: str, **fields: object) -> None:  # noqa: A002 - the protocol's own word
        await self.sends(frame(json.dumps({"type": type, **fields}).encode()))

    def half_closes(self) -> None:
        """Close the sending half of the TCP connection; the receiving half stays open."""
        self._writer.write_eof()

    def stops_reading(self) -> None:
        """Stop reading, so that the kernel's buffers fill up."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def reads_again(self) -> None:
        self._writer.transport.resume_reading()  # type: ignore[attr-defined]

    async def next_frame(self) -> tuple[int, bytes]:
        """Opcode and payload. Raises IncompleteReadError at the end, ConnectionError, TimeoutError."""
        first, length = await self._reads(2)
        if length == 126:
            length = int.from_bytes(await self._reads(2), "big")
        elif length == 127:
            length = int.from_bytes(await self._reads(8), "big")
        return first & 0x0F, await self._reads(length)

    async def hears(self, type: str = "message", **fields: object) -> Frame:  # noqa: A002
        """The next event of this type with these fields; other frames are skipped (and kept in `heard`)."""
        while True:
            opcode, payload = await self.next_frame()
            assert opcode != CLOSE, f"closed with {int.from_bytes(payload[:2], 'big')}"
            if opcode != TEXT:
                continue
            event: Frame = frames.check(json.loads(payload))
            self.heard.append(event)
            if event["type"] == type and all(event.get(name) == value for name, value in fields.items()):
                return event

    async def is_closed(self) -> int | None:
        """The close code, once the server has closed the connection; None if there was no close frame."""
        try:
            while True:
                opcode, payload = await self.next_frame()
                if opcode == CLOSE:
                    return int.from_bytes(payload[:2], "big")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def _reads(self, count: int) -> bytes:
        return await asyncio.wait_for(self._reader.readexactly(count), PATIENCE)


@asynccontextmanager
async def raw_client(
    server: ChatServer,
    path: str,
    headers: str = "",
    early: bytes = b"",
    receive_buffer: int | None = None,
    host: str = "",
) -> AsyncIterator[RawClient]:
    """Upgrade at `path`. The bytes `early` are sent together with the handshake, which no client should do."""
    connection = socket.socket()
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", server.port))
    except OSError:
        connection.close()
        raise
    reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 16)
    client = RawClient(reader, writer)
    try:
        request = HANDSHAKE.format(path=path, port=server.port, headers=headers)
        if host:
            request = request.replace(f"127.0.0.1:{server.port}", host, 1)
        await client.sends(request.encode("latin-1"), early)
        client.head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        yield client
    finally:
        writer.transport.abort()
