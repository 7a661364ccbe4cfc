"""Access tokens: a signed token is read, and any other is refused."""

import base64
import json
import time
from typing import Any

import jwt
import pytest

from app.core.security.refresh_tokens import TokenChain, fingerprint, new_secret
from app.core.security.tokens import LEEWAY_SECONDS, Claims, InvalidToken, Tokens

KEY = "a key of this installation that is long enough"
HOUR = 3600


@pytest.fixture
def ours() -> Tokens:
    return Tokens(KEY, HOUR)


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {"sub": "7", "sid": "s", "iat": now, "exp": now + HOUR, "kind": "access"} | changed
    return {name: value for name, value in whole.items() if value is not None}


def signed(key: str = KEY, algorithm: str = "HS256", **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm)


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_a_signed_token_is_read(ours: Tokens) -> None:
    read = ours.read(ours.sign(7, "session"))
    assert (read.user_id, read.session_id) == (7, "session")
    assert abs(read.expires_at - time.time() - HOUR) <= 1


def test_an_expired_token_is_refused(ours: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - HOUR - LEEWAY_SECONDS - 1)
    token = ours.sign(7, "session")
    monkeypatch.undo()
    with pytest.raises(InvalidToken):
        ours.read(token)


def test_a_cached_token_expires_like_any_other(ours: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    token, now = ours.sign(7, "session"), time.time()
    assert ours.read(token) is ours.read(token), "a cached token is not verified again"
    monkeypatch.setattr(time, "time", lambda: now + HOUR + LEEWAY_SECONDS - 2)
    assert ours.read(token).user_id == 7
    monkeypatch.setattr(time, "time", lambda: now + HOUR + LEEWAY_SECONDS + 1)
    with pytest.raises(InvalidToken):
        ours.read(token)


FORGED = {
    "nothing": "",
    "no token": "hello",
    "not ASCII": "é" * 40,
    "half a pair": "\ud800.\udfff.\ud800",
    "endless": "a" * 1_000_000,
    "another key": signed("another key that is just as long as ours is"),
    "another algorithm": signed(KEY * 2, "HS512"),
    "no signature": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims())}.",
    "expired": signed(exp=int(time.time()) - LEEWAY_SECONDS - 1),
    "without an expiry": signed(exp=None),
    "without a time of issue": signed(iat=None),
    "without a user": signed(sub=None),
    "without a session": signed(sid=None),
    "without a kind": signed(kind=None),
    "for something else": signed(kind="refresh"),
    "for longer than we sign": signed(exp=int(time.time()) + 2 * HOUR),
    "for ever": signed(exp=10**30),
    "until infinity": signed(exp=1e308),
    "from the future": signed(iat=int(time.time()) + HOUR),
    "not valid yet": signed(nbf=int(time.time()) + HOUR),
    "a user that is not a number": signed(sub="admin"),
    "a user that is a list": signed(sub=["7"]),
    "an expiry that is text": signed(exp="tomorrow"),
}


@pytest.mark.parametrize("what", FORGED)
def test_every_invalid_token_is_refused_with_the_same_error(ours: Tokens, what: str) -> None:
    for _ in range(2):  # the second time it could be cached
        with pytest.raises(InvalidToken) as refused:
            ours.read(FORGED[what])
        assert refused.value.detail == InvalidToken().detail


def test_one_changed_character_invalidates_the_signature(ours: Tokens) -> None:
    token = ours.sign(7, "session")
    payload = token.index(".") + 5
    with pytest.raises(InvalidToken):
        ours.read(token[:payload] + ("A" if token[payload] != "A" else "B") + token[payload + 1 :])


@pytest.mark.parametrize("claim", ["iat", "nbf", "exp"])
def test_a_token_of_a_server_whose_clock_differs_is_accepted(ours: Tokens, claim: str) -> None:
    """Within the leeway, whichever time it concerns."""
    off = LEEWAY_SECONDS - 10
    now = int(time.time())
    times: dict[str, Any] = {"iat": now + off, "nbf": now + off, "exp": now - off}
    for _ in range(2):  # the second time from the cache
        assert ours.read(signed(**{claim: times[claim]})).user_id == 7


def test_a_refresh_token_has_one_successor_that_only_the_key_can_tell() -> None:
    token, chain, other = new_secret(), TokenChain(KEY), TokenChain(KEY + "!")
    (successor,) = chain.successors(token)
    assert TokenChain(KEY).successors(token) == [successor]
    assert len(successor) == len(token)
    assert len({successor, *chain.successors(token + "="), *other.successors(token)}) == 3
    assert TokenChain(KEY + "!", [KEY]).successors(token) == [*other.successors(token), successor]


def test_claims_are_immutable() -> None:
    with pytest.raises(AttributeError):
        Claims(7, "s", 1).user_id = 8  # type: ignore[misc]


def test_secrets_are_long_and_unique() -> None:
    made = {new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(secret) == 43 for secret in made), "256 bits in base64"


def test_a_fingerprint_identifies_a_secret_without_revealing_it() -> None:
    secret = new_secret()
    assert fingerprint(secret) == fingerprint(secret) != fingerprint(secret + "=")
    assert len(fingerprint(secret)) == 64
    assert fingerprint("\ud800"), "any text from a client can be looked up"


def test_tokens_of_the_previous_key_are_read_but_none_is_signed_with_it(ours: Tokens) -> None:
    rotated = Tokens("another key of this installation, just as long", HOUR, [KEY])
    assert rotated.read(ours.sign(7, "session")).user_id == 7
    with pytest.raises(InvalidToken):
        ours.read(rotated.sign(7, "session"))
    for wrong in (signed("a key that nobody has chosen, but long enough"), signed(exp=1)):
        with pytest.raises(InvalidToken):
            rotated.read(wrong)
