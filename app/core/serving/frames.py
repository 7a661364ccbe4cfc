"""The bytes of WebSocket frames (RFC 6455 section 5.2), for reading and writing without a library."""

FIN_TEXT = 0x81
FIN_BINARY = 0x82
FIN_PING = 0x89
FIN_PONG = 0x8A
"""First bytes of frames that are whole messages."""
DATA = (FIN_TEXT, FIN_BINARY)
MASKED = 0x80
"""Set in the second byte if the payload is masked, as every frame of a client must be."""
SHORT = 126
"""The second byte holds lengths below this; 126 announces two more bytes of length, 127 eight."""
SHORTEST = 2
"""Bytes of the shortest header."""
PING = b"\x89\x00"


def parse_header(data: bytes, start: int) -> tuple[int, bool, int, int]:
    """Parse the header at `start`, of which SHORTEST bytes have to be there.

    Returns the first byte, whether the payload is masked, where the header ends, and the length of the payload. A
    masking key of four bytes lies between the two. The header is incomplete if it ends behind `data`, and then its
    length says nothing.
    """
    second = data[start + 1]
    length = second & 0x7F
    body = start + 2
    if length >= SHORT:
        body += 2 if length == SHORT else 8
        length = int.from_bytes(data[start + 2 : body], "big")
    return data[start], second >= MASKED, body, length


def text_frame(payload: bytes) -> bytes:
    """A complete, unmasked text frame."""
    length = len(payload)
    if length < SHORT:
        return bytes((FIN_TEXT, length)) + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload
