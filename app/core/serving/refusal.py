"""The answer to a request that the application never sees: a problem document (RFC 9457), as small as possible."""

import json
from http import HTTPStatus

LINGER_SECONDS = 2.0
"""How long a refused client may go on sending. A connection that is closed while data arrives is reset, and the client
loses the answer (RFC 9112 section 9.6)."""


def answer(status: int, detail: str) -> bytes:
    """The encoded response. The connection ends after it."""
    phrase = HTTPStatus(status).phrase
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    document = {"type": "about:blank", "title": phrase, "status": status, "detail": detail, "code": code}
    body = json.dumps(document).encode()
    lines = [
        f"HTTP/1.1 {status} {phrase}",
        "content-type: application/problem+json",
        f"content-length: {len(body)}",
        "connection: close",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
    ]
    if status == 429:
        lines.append("retry-after: 15")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
