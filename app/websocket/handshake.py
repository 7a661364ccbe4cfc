"""The handshake of a socket: its origin, its token and the parameters of its address."""

import re

from starlette.websockets import WebSocket

from app.core.config import Settings
from app.core.errors import BadRequest, Forbidden
from app.core.security.tokens import InvalidToken
from app.core.unknown_keys import first_unknown, is_added_on_the_way, no_such, shown
from app.schemas.fields import EPOCH_NAME, MAX_ID

SUBPROTOCOL = "bearer"


class OriginNotAllowed(Forbidden):
    """Pages from this origin may not connect; see CORS_ORIGINS."""


ALWAYS, WITH_ROOM = frozenset({"token"}), frozenset({"token", "since", "epoch"})
"""The parameters of an address. On `/ws` the place of the others is the command `subscribe`."""


class InvalidParameter(BadRequest):
    """A parameter of the address is unknown, not a number in range, or not the name of an epoch."""


def check_origin(socket: WebSocket, settings: Settings) -> None:
    """Check the origin of a page, since CORS does not apply to sockets. Raises OriginNotAllowed.

    Only browsers send `Origin`, and they always do (RFC 6455 section 10.2).
    """
    origin = socket.headers.get("origin")
    if origin is None or settings.allows_origin(origin):
        return
    if origin.partition("://")[2] != socket.headers.get("host"):
        raise OriginNotAllowed


def check_parameters(socket: WebSocket, *, has_room: bool) -> None:
    """Check that every parameter of the address means something: without `since`, a history would be lost without a
    word. Raises InvalidParameter."""
    known = WITH_ROOM if has_room else ALWAYS
    given = (name for name in socket.query_params if not is_added_on_the_way(name))
    unknown = first_unknown(given, known)
    if unknown is not None:
        raise InvalidParameter(f"{shown(unknown)}: {no_such('parameter', unknown, known)}.")


def find_token(socket: WebSocket) -> tuple[str, str | None]:
    """The token, and the subprotocol to answer with if it came as one. Raises InvalidToken.

    Clients send it in `?token=`, in `Authorization: Bearer`, or, for browsers that keep it out of the address, in the
    subprotocols `bearer, <token>`.
    """
    if token := socket.query_params.get("token"):
        return token, None
    scheme, _, credentials = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return credentials.strip(), None
    offered = socket.scope.get("subprotocols", [])
    if len(offered) == 2 and offered[0] == SUBPROTOCOL:
        return offered[1], SUBPROTOCOL
    raise InvalidToken


def parse_number(value: str | None, least: int) -> int | None:
    """A number in the address; None if it is missing. Raises InvalidParameter."""
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 16 and least <= int(value) <= MAX_ID):
        raise InvalidParameter
    return int(value)


def parse_epoch(value: str | None) -> str | None:
    """The name of an epoch in the address; None if it is missing. Raises InvalidParameter."""
    if value is not None and not re.fullmatch(EPOCH_NAME, value):
        raise InvalidParameter
    return value
