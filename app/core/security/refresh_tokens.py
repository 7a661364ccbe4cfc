"""Refresh tokens: opaque, and only their hash is stored. The tokens of a login are a chain.

The invariant: an open login has exactly one token that is not spent, the last of its chain. Each token is derived from
the one before, so that a client that did not get the answer, or asked twice, gets the same token again. A token
that was spent earlier is a copy, and presenting it ends the login (RFC 9700 section 4.14.2).
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from enum import Enum, auto
from typing import NamedTuple

REPEAT_MS = 30_000
"""How long after its first use a token may be presented again: as long as a client waits for an answer."""
SKEW_MS = 60_000
"""How far behind the clock of another server may be, which then sees a use in the future."""
SPENT_KEPT = 10
"""Spent tokens of a login that are stored. An older one is unknown, and refused without ending the login."""
NEVER_REPEATED = 0
"""The time of use of a token that was replaced without being used."""


def new_secret() -> str:
    """Generate 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """The stored form of a refresh token. With 256 random bits a plain hash is enough: no salt, no stretching."""
    return hashlib.sha256(_bytes(secret)).hexdigest()


class TokenChain:
    """Derives refresh tokens. To compute one takes both the key of this installation and the token before it."""

    def __init__(self, key: str, previous: Sequence[str] = ()) -> None:
        """Derives with `key`, and recognises what another server derived with one of the `previous` keys."""
        # Keys of their own, which sign nothing else.
        self._keys = [
            hmac.digest(one.encode(), b"refresh tokens", hashlib.sha256) for one in (key, *previous)
        ]

    def successors(self, token: str) -> list[str]:
        """The successor of a token under each key, the one to issue first."""
        digests = (hmac.digest(key, _bytes(token), hashlib.sha256) for key in self._keys)
        return [base64.urlsafe_b64encode(digest).rstrip(b"=").decode() for digest in digests]


class StoredToken(NamedTuple):
    """What the database knows of a token."""

    fingerprint: str
    number: int
    """Its place in the chain."""
    spent_at: int | None
    """In milliseconds since the epoch."""


class Step(Enum):
    """What presenting a token leads to."""

    ADVANCE = auto()
    """It is spent, and its successor is issued."""
    REPEAT = auto()
    """It was spent a moment ago, and its successor was not used yet: that one is the answer again."""
    REPLACE = auto()
    """The same, but the successor was derived with a key that is not known here: another one takes its place."""
    END = auto()
    """It was used before: two clients have it, and the login ends."""


def next_step(
    presented: StoredToken, last: StoredToken | None, successors: Collection[str], now: int
) -> Step:
    """Decide about a token, given the one of its login that is not spent, and the fingerprints of its own successors.

    `now` is in milliseconds since the epoch.
    """
    if presented.spent_at is None:
        return Step.ADVANCE
    is_recent = -SKEW_MS <= now - presented.spent_at <= REPEAT_MS
    if not is_recent or last is None or last.number != presented.number + 1:
        return Step.END
    return Step.REPEAT if last.fingerprint in successors else Step.REPLACE


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")
