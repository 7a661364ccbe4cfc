"""Access tokens: JWT (RFC 7519), HS256 and nothing else."""

import base64
import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from app.core.byte_cache import ByteLru
from app.core.errors import Unauthorized

ALGORITHM = "HS256"
ACCESS_KIND = "access"
REQUIRED_CLAIMS = ["sub", "sid", "iat", "exp", "kind"]
MAX_TOKEN_LENGTH = 4096
LEEWAY_SECONDS = 60
"""How much the clocks of two servers may differ: for every time in a token (RFC 7519 sections 4.1.4 to 4.1.6)."""
CACHE_BYTES = 4 << 20
"""Cache of verified tokens, about 7,000 entries: a client sends the same token with every request."""
TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""RFC 7515 sections 2 and 3.1: three parts in base64url, without padding, whitespace or line breaks."""
SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The form of generated ids. Other ids, signed with a leaked key, are not even looked up."""


class InvalidToken(Unauthorized):
    """The token is missing, wrong or expired."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The contents of an access token."""

    user_id: int
    session_id: str
    expires_at: int
    """Seconds since the epoch. The token is accepted for LEEWAY_SECONDS more."""


class Tokens:
    """Signs and reads access tokens with the key of this installation."""

    def __init__(self, key: str, lifetime_seconds: int, previous: Sequence[str] = ()) -> None:
        """Signs with `key`, and reads what was signed with it or with one of the `previous` keys."""
        self._key, *self._previous = map(_jwk, (key, *previous))
        self.lifetime_seconds = lifetime_seconds
        self._read: ByteLru[str, Claims] = ByteLru(CACHE_BYTES, MAX_TOKEN_LENGTH)

    def sign(self, user_id: int, session_id: str) -> str:
        now = int(time.time())
        claims = {
            "sub": str(user_id),
            "sid": session_id,
            "iat": now,
            "exp": now + self.lifetime_seconds,
            "kind": ACCESS_KIND,
        }
        return jwt.encode(claims, self._key, ALGORITHM)

    def read(self, token: str) -> Claims:
        """Verify a token. Raises InvalidToken, whatever is wrong: the caller learns no more than that.

        A signature does not change: of a cached token only the expiry is checked.
        """
        claims = self._read.get(token)
        if claims is None:
            claims = self._verify(token)
            self._read.put(token, claims, len(token))
        elif claims.expires_at <= time.time() - LEEWAY_SECONDS:
            raise InvalidToken
        return claims

    def _decode(self, token: str) -> dict[str, Any]:
        """Raises PyJWTError if no key fits, or if a claim is wrong."""
        for key in (self._key, *self._previous):
            try:
                return jwt.decode(
                    token, key, [ALGORITHM], options={"require": REQUIRED_CLAIMS}, leeway=LEEWAY_SECONDS
                )
            except jwt.InvalidSignatureError:
                continue
        raise jwt.InvalidSignatureError

    def _verify(self, token: str) -> Claims:
        if len(token) > MAX_TOKEN_LENGTH or not TOKEN_PATTERN.fullmatch(token):
            raise InvalidToken
        try:
            claims = self._decode(token)
            read = Claims(int(claims["sub"]), claims["sid"], math.floor(claims["exp"]))
            known_form = SESSION_ID.fullmatch(read.session_id) is not None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise InvalidToken from None
        # A key that leaked into another tool could sign tokens without end: none is valid beyond a lifetime from now.
        if (
            not known_form
            or claims["kind"] != ACCESS_KIND
            or read.expires_at > time.time() + self.lifetime_seconds + LEEWAY_SECONDS
        ):
            raise InvalidToken
        return read


def _jwk(key: str) -> jwt.PyJWK:
    """PyJWT uses a JWK as it is; a string it would search for a certificate each time."""
    secret = base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()
    return jwt.PyJWK({"kty": "oct", "alg": ALGORITHM, "k": secret})
