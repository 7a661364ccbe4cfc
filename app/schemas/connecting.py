"""How a connection begins and how it ends, in the words of AsyncAPI."""

from typing import Any

from app.schemas.fields import MAX_ID

Json = dict[str, Any]

TOKEN: Json = {"type": "string", "description": "An access token from `POST /api/auth/login`."}
SINCE: Json = {
    "type": "integer",
    "minimum": 0,
    "maximum": MAX_ID,
    "description": "The last `seq` of the room that the client has: what came after it is sent first, then `synced`.",
}
HEADERS: Json = {
    "type": "object",
    "properties": {
        "Authorization": {"type": "string", "description": "`Bearer`, a space, and the token."},
        "Sec-WebSocket-Protocol": {"type": "string", "description": "`bearer, ` and the token."},
    },
}
SECURITY: Json = {
    "query": {
        "type": "httpApiKey",
        "name": "token",
        "in": "query",
        "description": "`?token=` in the address.",
    },
    "header": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "subprotocol": {
        "type": "httpApiKey",
        "name": "Sec-WebSocket-Protocol",
        "in": "header",
        "description": "The subprotocols `bearer` and the token, for browsers that keep it out of the address.",
    },
}

CLOSE_CODES: dict[int, str] = {
    1007: "A text frame that is not UTF-8.",
    1009: "A frame so large that it was not read to its end.",
    1012: "The server is going away or cannot do its work: come back, with `since`.",
    4400: "A number in the address is not one.",
    4401: "The token is missing, wrong or expired, or its login has ended: get a new one first.",
    4403: "Pages from this origin may not connect.",
    4404: "There is no such room, or not for you.",
    4408: "You read more slowly than there was to tell: come back, with `since`.",
    4429: "Too many connections, or too many commands for a minute on end: come back later.",
}
"""Why the server ends a connection. Those from 4000 on are this application's own (RFC 6455 section 7.4.2)."""
