"""The bytes of a WebSocket frame (RFC 6455 section 5.2), as far as we read and write them ourselves."""

FIN_TEXT = 0x81
FIN_BINARY = 0x82
FIN_PING = 0x89
FIN_PONG = 0x8A
"""The first byte of a frame that is a whole message."""
DATA = (FIN_TEXT, FIN_BINARY)
MASKED = 0x80
"""In the second byte: the payload is masked, as all that clients send has to be."""
SHORT = 126
"""The second byte holds lengths below this; 126 announces two bytes of length, 127 eight."""
SHORTEST = 2
"""Bytes of the shortest head."""
PING = b"\x89\x00"


def text_frame(payload: bytes) -> bytes:
    """A complete, unmasked text frame."""
    length = len(payload)
    if length < SHORT:
        return bytes((FIN_TEXT, length)) + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload
