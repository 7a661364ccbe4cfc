"""The command `auth`: a fresh token for an open connection."""

from app.core.clock import rfc3339
from app.core.security.audit import AuditEvent
from app.core.security.tokens import InvalidToken
from app.schemas.auth import Renew
from app.websocket.request import Request


class OtherSession(InvalidToken):
    """The new token belongs to another login."""


async def renew(request: Request[Renew]) -> None:
    connection = request.connection
    try:
        caller = await request.deps.token_verifier.caller(request.command.token)
        if caller.session_id != connection.caller.session_id:
            raise OtherSession
    except InvalidToken:
        connection.record(AuditEvent.TOKEN_REFUSED, credential="access")
        raise
    connection.expires_at = caller.expires_at
    connection.deps.registry.watch_expiry(connection)
    request.acknowledge(expires_at=rfc3339(caller.expires_at * 1000))
