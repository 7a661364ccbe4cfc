"""The handshake of a socket: its origin, its token and the parameters of its address."""

import re

from starlette.websockets import WebSocket

from app.core.config import Settings
from app.core.errors import BadRequest, Forbidden
from app.core.origins import Origin
from app.core.security.audit import Client
from app.core.security.tokens import InvalidToken
from app.core.unknown_keys import first_unknown, is_added_on_the_way, no_such, shown
from app.schemas.fields import EPOCH_NAME, MAX_ID

SUBPROTOCOL = "bearer"
JWT_DOTS = 2
"""Tokens consist of three parts (RFC 7515 section 7.1), and names of subprotocols hardly ever."""


class OriginNotAllowed(Forbidden):
    """Pages from this origin may not connect; see CORS_ORIGINS."""


ALWAYS, WITH_ROOM = frozenset({"token"}), frozenset({"token", "since", "epoch"})
"""The parameters of an address. On `/ws` the place of the others is the command `subscribe`."""


class InvalidParameter(BadRequest):
    """A parameter of the address is unknown, not a number in range, or not the name of an epoch."""


def check_origin(socket: WebSocket, settings: Settings) -> None:
    """Check the origin of a page, since CORS does not apply to sockets. Raises OriginNotAllowed.

    Browsers always send `Origin` (RFC 6455 section 10.2). Apps may send one that no page of the web can have, or the
    opaque `null`: they need a valid token, as clients without `Origin` do.
    """
    header = socket.headers.get("origin")
    if header is None:
        return
    origin = Origin.parse(header)
    host = socket.headers.get("host", "")
    if origin is not None:
        if not origin.is_web or settings.allows_origin(origin):
            return
        if origin.is_served_by(host, is_encrypted=socket.url.scheme == "wss"):
            return
    raise OriginNotAllowed


def client_of(socket: WebSocket) -> Client:
    address = socket.client.host if socket.client else ""
    return Client(address, socket.headers.get("user-agent", ""))


def check_parameters(socket: WebSocket, *, has_room: bool) -> None:
    """Check that every parameter of the address means something: without `since`, a history would be lost without a
    word. Raises InvalidParameter."""
    known = WITH_ROOM if has_room else ALWAYS
    given = (name for name in socket.query_params if not is_added_on_the_way(name))
    unknown = first_unknown(given, known)
    if unknown is not None:
        raise InvalidParameter(f"{shown(unknown)}: {no_such('parameter', unknown, known)}.")


def find_token(socket: WebSocket) -> str:
    """The token. Raises InvalidToken.

    Clients send it in `?token=`, in `Authorization: Bearer`, or, for browsers that keep it out of the address, among
    the subprotocols, together with `bearer`.
    """
    if token := socket.query_params.get("token"):
        return token
    scheme, _, credentials = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return credentials.strip()
    offered: list[str] = socket.scope.get("subprotocols", [])
    if SUBPROTOCOL in offered:
        place = offered.index(SUBPROTOCOL)
        others = offered[place + 1 :] + offered[:place]
        tokens = [one for one in others if one.count(".") == JWT_DOTS]
        if others:
            return tokens[0] if tokens else others[0]
    raise InvalidToken


def subprotocol(socket: WebSocket) -> str | None:
    """The subprotocol to answer with: a browser that offers some fails without one, wherever its token is."""
    return SUBPROTOCOL if SUBPROTOCOL in socket.scope.get("subprotocols", []) else None


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
