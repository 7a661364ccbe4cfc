"""Why the server ends a connection: close codes as data, for the server, AsyncAPI, the protocol document and the page.

Codes from 4000 are 4000 plus an HTTP status (RFC 6455 section 7.4.2 leaves 4000-4999 to applications).
"""

from typing import NamedTuple

from app.core.errors import AppError
from app.core.serving.raw_socket import REASONS

MAX_REASON = 123
"""Bytes (RFC 6455 section 5.5)."""


class Close(NamedTuple):
    """A close frame, and what the client may do next."""

    code: int
    reason: str
    """For people, where `because` says nothing more precise: at most 123 bytes (RFC 6455 section 5.5)."""
    comes_back: bool
    """Whether the client may reconnect without changing anything: neither its token nor its code."""
    meaning: str
    """For documents: all causes of this code."""

    def because(self, reason: str) -> "Close":
        """The same code with a more precise reason, as much of it as a close frame takes."""
        return self._replace(reason=reason.encode()[:MAX_REASON].decode(errors="ignore"))


PROTOCOL_ERROR = Close(1002, REASONS[1002], False, "A frame that breaks RFC 6455.")
INVALID_TEXT = Close(1007, "This text frame is not UTF-8.", False, "A text frame that is not UTF-8.")
FRAME_TOO_LARGE = Close(
    1009, REASONS[1009], False, "A frame, or a message in fragments, that was too large to be read."
)
GOING_AWAY = Close(
    1012,
    "The server is shutting down.",
    True,
    "The server is shutting down, its database does not answer, or its data were put back: reconnect with `since` "
    "and `epoch`.",
)
BAD_REQUEST = Close(
    4400,
    "A parameter of the address is wrong.",
    False,
    "A parameter of the address is unknown, or not a number.",
)
UNAUTHORIZED = Close(
    4401,
    "The token is missing, wrong or expired.",
    False,
    "The token is missing, wrong or expired, or its session has ended: get a new one first.",
)
FORBIDDEN = Close(
    4403, "Pages from this origin may not connect.", False, "Pages from this origin may not connect."
)
NOT_FOUND = Close(
    4404,
    "There is no such room, or you may not see it.",
    False,
    "There is no such room, or you may not see it; or there is no socket at this address.",
)
TOO_SLOW = Close(
    4408,
    "You are reading too slowly; reconnect with since.",
    True,
    "The client read too slowly: reconnect with `since`.",
)
TOO_FAST = Close(
    4429,
    "Too many commands for too long; reconnect later.",
    True,
    "Too many connections, or too many commands for a whole minute: reconnect later.",
)

CLOSES = (
    PROTOCOL_ERROR,
    INVALID_TEXT,
    FRAME_TOO_LARGE,
    GOING_AWAY,
    BAD_REQUEST,
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    TOO_SLOW,
    TOO_FAST,
)

PUT_BACK = GOING_AWAY.because("The server's data were put back; reconnect with since and epoch.")
SESSION_ENDED = UNAUTHORIZED.because("The session has ended.")
TOKEN_EXPIRED = UNAUTHORIZED.because("The token has expired.")

_BY_CODE = {close.code: close for close in CLOSES}


def close_for(error: AppError) -> Close:
    """The close frame that tells a client of an error which ends its connection."""
    if error.status == 503:
        return GOING_AWAY.because(error.detail)
    found = _BY_CODE.get(4000 + error.status)
    return found.because(error.detail) if found else GOING_AWAY
