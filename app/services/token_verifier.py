"""Whether a token still counts: a signature, a life, and a login that nobody has revoked."""

import time
from collections import OrderedDict

from app.core.database import Database
from app.core.security.tokens import Tokens
from app.services import sessions
from app.services.callers import Caller

CACHE_ENTRIES = 50_000
TRUSTED_SECONDS = 5.0
"""How long a login is taken on trust. A revocation in this process ends that at once, one in another within this."""


class TokenVerifier:
    """Reads tokens. Remembers logins for a few seconds, so that most requests ask no database."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()
        self._endings = 0

    async def caller(self, token: str) -> Caller:
        """Raises InvalidToken."""
        claims = self._tokens.read(token)
        known = self._known.get(claims.session_id)
        if known and known[0] > time.monotonic() and known[1].user_id == claims.user_id:
            return Caller(
                known[1].user_id, known[1].username, claims.session_id, known[1].created_at, claims.expires_at
            )
        endings = self._endings
        caller = await sessions.authenticate(self._database, claims)
        if endings == self._endings:  # else a login ended while we looked, and it may be this one
            self._remember(caller)
        return caller

    def _remember(self, caller: Caller) -> None:
        self._known[caller.session_id] = (time.monotonic() + TRUSTED_SECONDS, caller)
        self._known.move_to_end(caller.session_id)
        if len(self._known) > CACHE_ENTRIES:
            self._known.popitem(last=False)

    def forget(self, session_ids: list[str]) -> None:
        """These logins have ended."""
        self._endings += 1
        for session_id in session_ids:
            self._known.pop(session_id, None)
