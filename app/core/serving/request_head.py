"""The head of a request (RFC 9112 section 3): what is refused, and whether it asks for a WebSocket.

The parser accepts some heads that the standard refuses, and takes any `Upgrade` for the end of HTTP on the connection.
"""

import re
from collections.abc import Iterable, Sequence

Header = tuple[bytes, bytes]
"""A name in lower case, and a value."""

HOST = re.compile(rb"([\w.~!$&'()*+,;=%-]*|\[[0-9a-fA-F:.]+\])(:\d*)?", re.ASCII)
"""`uri-host [ ":" port ]` (RFC 9110 section 7.2)."""
MAX_HANDSHAKE_LINE = 8_000
"""The websockets library reads lines of up to 8,192 bytes."""


class RequestRefused(Exception):
    """The request cannot be served, and its connection ends."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def check(method: str, version: str, headers: Sequence[Header]) -> None:
    """Refuse what RFC 9112 sections 2.3 and 3.2 refuse, and tunnels. Raises RequestRefused."""
    if version not in ("1.1", "1.0"):
        raise RequestRefused(400, "This server speaks HTTP/1.1.")
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (version == "1.1" and not hosts):
        raise RequestRefused(400, "A request has exactly one Host header.")
    if hosts and not HOST.fullmatch(hosts[0].strip(b" \t")):
        raise RequestRefused(400, "The Host header is not a host and a port.")
    if method == "CONNECT":
        raise RequestRefused(405, "This server is not a proxy.")


def is_handshake(method: str, version: str, headers: Sequence[Header]) -> bool:
    """Whether a request asks for a WebSocket (RFC 6455 section 4.2.1). Raises RequestRefused if its lines are too long.

    Every other `Upgrade` may be ignored, and has to be in HTTP/1.0 (RFC 9110 section 7.8).
    """
    if method != "GET" or version != "1.1":
        return False
    if b"upgrade" not in _tokens(headers, b"connection") or b"websocket" not in _tokens(headers, b"upgrade"):
        return False
    if any(len(name) + len(value) > MAX_HANDSHAKE_LINE for name, value in headers):
        raise RequestRefused(431, "A header of this handshake is too long.")
    return True


def without_upgrade(method: bytes, target: bytes, version: str, headers: Iterable[Header]) -> bytes:
    """The same head, encoded, without `Upgrade`: `Connection: upgrade` alone has no meaning."""
    lines = [b"%s %s HTTP/%s" % (method, target, version.encode())]
    lines += [b"%s: %s" % header for header in headers if header[0] != b"upgrade"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _tokens(headers: Iterable[Header], name: bytes) -> list[bytes]:
    """The elements of a list, which may be spread over several lines (RFC 9110 section 5.6.1)."""
    joined = b",".join(value for header, value in headers if header == name)
    return [token.strip().lower() for token in joined.split(b",")]
