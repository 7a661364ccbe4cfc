"""The handshake of a connection, in AsyncAPI's terms."""

from app.schemas.fields import EPOCH_NAME, MAX_ID

Json = dict[str, object]

TOKEN: Json = {"type": "string", "description": "An access token from `POST /api/auth/login`."}
SINCE: Json = {
    "type": "integer",
    "minimum": 0,
    "maximum": MAX_ID,
    "description": "The last `seq` of the room that the client has: later changes are sent first, then `synced`.",
}
EPOCH: Json = {
    "type": "string",
    "pattern": EPOCH_NAME,
    "description": "The epoch of `since`: if that is of another history, `synced` is `truncated`.",
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
