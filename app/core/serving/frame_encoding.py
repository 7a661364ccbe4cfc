"""The bytes of WebSocket frames (RFC 6455 section 5.2), for reading and writing without a library."""

FIN_TEXT = 0x81
FIN_BINARY = 0x82
FIN_PING = 0x89
FIN_PONG = 0x8A
"""First bytes of frames that are whole messages."""
DATA = (FIN_TEXT, FIN_BINARY)
FIN_CONTINUATION = 0x80
FRAGMENTS = (0x00, 0x01, 0x02, FIN_CONTINUATION)
"""First bytes of fragments: in the middle, the first one of a text or of bytes, and the last one."""
MASKED = 0x80
"""Set in the second byte if the payload is masked, as every frame of a client must be."""
SHORT = 126
"""The second byte holds lengths below this; 126 announces two more bytes of length, 127 eight."""
SHORTEST = 2
"""Bytes of the shortest header."""
PING = b"\x89\x00"


def text_frame(payload: bytes) -> bytes:
    """A complete, unmasked text frame."""
    length = len(payload)
    if length < SHORT:
        return bytes((FIN_TEXT, length)) + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload
