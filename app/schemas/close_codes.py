"""Why the server ends a connection: close codes as data. AsyncAPI, the protocol document and the page follow from it.

Codes from 4000 on read like HTTP: 4000 and the status (RFC 6455 section 7.4.2 leaves 4000-4999 to applications).
"""

from typing import NamedTuple

from app.core.errors import AppError


class Close(NamedTuple):
    """A close frame, and what it asks of the client."""

    code: int
    reason: str
    """Sent with the code, for people: at most 123 bytes (RFC 6455 section 5.5)."""
    comes_back: bool
    """Whether the client may reconnect without changing anything: neither its token nor its code."""
    meaning: str
    """For documents: every cause that this code covers."""

    def because(self, reason: str) -> "Close":
        """The same code for a more precise reason."""
        return self._replace(reason=reason)


PROTOCOL_ERROR = Close(1002, "This is not a valid frame.", False, "A frame that breaks RFC 6455.")
INVALID_TEXT = Close(1007, "This text frame is not UTF-8.", False, "A text frame that is not UTF-8.")
TOO_MANY_FRAGMENTS = Close(1008, "too many fragments", False, "A message in more than 1,000 fragments.")
FRAME_TOO_LARGE = Close(
    1009, "This frame is too large.", False, "A frame so large that it was not read to its end."
)
GOING_AWAY = Close(
    1012,
    "The server is going away.",
    True,
    "The server is going away or cannot do its work: come back, with `since`.",
)
BAD_REQUEST = Close(
    4400, "A parameter of the address is not a number.", False, "A number in the address is not one."
)
UNAUTHORIZED = Close(
    4401,
    "The token is missing, wrong or expired.",
    False,
    "The token is missing, wrong or expired, or its login has ended: get a new one first.",
)
FORBIDDEN = Close(
    4403, "Pages from this origin may not connect.", False, "Pages from this origin may not connect."
)
NOT_FOUND = Close(
    4404, "There is no such room, or not for you.", False, "There is no such room, or not for you."
)
TOO_SLOW = Close(
    4408,
    "You are reading too slowly; come back with since.",
    True,
    "You are reading too slowly: come back, with `since`.",
)
TOO_FAST = Close(
    4429,
    "Too many commands for too long; come back later.",
    True,
    "Too many connections, or too many commands for a minute on end: come back later.",
)

CLOSES = (
    PROTOCOL_ERROR,
    INVALID_TEXT,
    TOO_MANY_FRAGMENTS,
    FRAME_TOO_LARGE,
    GOING_AWAY,
    BAD_REQUEST,
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    TOO_SLOW,
    TOO_FAST,
)

SESSION_ENDED = UNAUTHORIZED.because("The session has ended.")
TOKEN_EXPIRED = UNAUTHORIZED.because("The token has expired.")

_BY_CODE = {close.code: close for close in CLOSES}


def close_for(error: AppError) -> Close:
    """The close frame that tells a client of an error which ends its connection."""
    close = GOING_AWAY if error.status == 503 else _BY_CODE[4000 + error.status]
    return close.because(error.detail)
