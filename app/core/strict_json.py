"""JSON as RFC 8259 has it, read strictly: the one decoder for HTTP bodies and socket frames.

The standard library takes `NaN`, `1e999` and lone surrogates, and each of them breaks something later. orjson takes
none of these, refuses more than 1,024 levels, and reads integers beyond 64 bits as floats, which strict fields refuse.
"""

from typing import Any

import orjson

from app.core.errors import BadRequest


class InvalidJson(BadRequest):
    """This is not valid JSON."""


def decode(data: bytes) -> Any:
    """Raises InvalidJson, which says where."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidJson(f"This is not valid JSON: {error.msg} (at character {error.pos}).") from None


encode = orjson.dumps
