"""Verifies tokens: the signature, the lifetime, and that the login has not been revoked."""

import time
from collections import OrderedDict

from app.core.database import Database
from app.core.security.tokens import Tokens
from app.services import sessions
from app.services.announcements import EpochBegan, SessionsEnded
from app.services.callers import Caller

CACHE_ENTRIES = 50_000
TRUSTED_SECONDS = 5.0
"""How long a login is valid without being looked up again. A revocation in this process takes effect at once, one in
another process within this time."""


class TokenVerifier:
    """Verifies tokens. Remembers logins for a few seconds, so that most requests need no query."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens
        self._logins: OrderedDict[str, tuple[float, Caller]] = OrderedDict()
        """Until when each login is trusted (monotonic seconds), and its caller."""
        self._revocations = 0

    async def caller(self, token: str) -> Caller:
        """The caller named by the token. Raises InvalidToken, DatabaseUnavailable."""
        claims = self._tokens.read(token)
        known = self._logins.get(claims.session_id)
        if known and known[0] > time.monotonic() and known[1].user_id == claims.user_id:
            return Caller(
                known[1].user_id, known[1].username, claims.session_id, known[1].created_at, claims.expires_at
            )
        revocations = self._revocations
        caller = await sessions.authenticate(self._database, claims)
        if revocations == self._revocations:  # else a login was revoked during the query, perhaps this one
            self._remember(caller)
        return caller

    def forget(self, ended: SessionsEnded) -> None:
        """Forget logins that have ended."""
        self._revocations += 1
        for session_id in ended.session_ids:
            self._logins.pop(session_id, None)

    def forget_all(self, _: EpochBegan) -> None:
        """Forget all logins: in another history they may not exist."""
        self._revocations += 1
        self._logins.clear()

    def _remember(self, caller: Caller) -> None:
        self._logins[caller.session_id] = (time.monotonic() + TRUSTED_SECONDS, caller)
        self._logins.move_to_end(caller.session_id)
        if len(self._logins) > CACHE_ENTRIES:
            self._logins.popitem(last=False)
