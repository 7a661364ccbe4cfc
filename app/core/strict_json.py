"""Strict JSON (RFC 8259): the one decoder for HTTP bodies and socket frames.

The standard library accepts `NaN`, `1e999` and lone surrogates, and each of them breaks something later. orjson rejects
them and more than 1,024 levels, and reads integers beyond 64 bits as floats, which strict fields refuse.
"""

import orjson

from app.core.errors import BadRequest


class InvalidJson(BadRequest):
    """This is not valid JSON."""


def decode(data: bytes) -> object:
    """Decode a document. Raises InvalidJson, which names the position."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidJson(f"This is not valid JSON: {error.msg} (at character {error.pos}).") from None


encode = orjson.dumps
