"""The handshake of a socket: its origin, its token and the parameters of its address."""

import re

from starlette.websockets import WebSocket

from app.core.config import Settings
from app.core.errors import BadRequest, Forbidden
from app.core.logs import OncePerKey
from app.core.origins import Origin
from app.core.security.audit import Client
from app.core.security.tokens import InvalidToken
from app.schemas.fields import EPOCH_NAME, MAX_ID

SUBPROTOCOL = "bearer"
MAX_LOGGED = 200
"""Characters of a header in the log."""

_refused = OncePerKey()


class OriginNotAllowed(Forbidden):
    """Pages from this origin may not connect; see CORS_ORIGINS."""


class InvalidParameter(BadRequest):
    """A parameter of the address is not a number in range, or not the name of an epoch."""


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
    _refused.warn(
        (header, host),
        "origin.refused",
        origin=header[:MAX_LOGGED],
        host=host[:MAX_LOGGED],
        advice="if this page may call, add its origin to CORS_ORIGINS",
    )
    raise OriginNotAllowed


def client_of(socket: WebSocket) -> Client:
    address = socket.client.host if socket.client else ""
    return Client(address, socket.headers.get("user-agent", ""))


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
