"""Forged tokens of an attacker who knows RFC 7519, RFC 8725 and the source code, and in some cases the key."""

import base64
import hashlib
import hmac
import json
import math
import time
from collections.abc import Callable
from typing import Any

import jwt

KEY = "gI8mPzT2bV5xQ9rL4nW7kD1sF6hJ3cYaU0eO8iA4dM2tB6vN1qX7wZ5pR9yK3gHl"
OTHER = KEY[::-1]
DEEP = 1_400

Claims = dict[str, Any]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims_of(token: str) -> Claims:
    found: Claims = jwt.decode(token, options={"verify_signature": False})
    return found


def sign(claims: Claims, key: str = KEY, alg: str = "HS256", **header: Any) -> str:
    return jwt.encode(claims, key, alg, headers=header or None)


def sign_bytes(header: bytes, payload: bytes, key: str = KEY) -> str:
    """A valid signature over any bytes."""
    signed = f"{b64(header)}.{b64(payload)}"
    return f"{signed}.{b64(hmac.digest(key.encode(), signed.encode(), hashlib.sha256))}"


def without(claims: Claims, name: str) -> Claims:
    return {key: value for key, value in claims.items() if key != name}


HEADER = b'{"alg":"HS256","typ":"JWT"}'

WITHOUT_THE_KEY: dict[str, Callable[[str, Claims], str]] = {
    "nothing": lambda token, claims: "x",
    "two dots": lambda token, claims: "..",
    "two parts": lambda token, claims: token.rpartition(".")[0],
    "four parts": lambda token, claims: token + ".",
    "unsigned": lambda token, claims: token.rpartition(".")[0] + ".",
    "alg none": lambda token, claims: f"{b64(HEADER.replace(b'HS256', b'none'))}.{token.split('.')[1]}.",
    "alg None": lambda token, claims: f"{b64(HEADER.replace(b'HS256', b'None'))}.{token.split('.')[1]}.",
    "alg none over a valid signature": lambda token, claims: ".".join(
        (b64(HEADER.replace(b"HS256", b"none")), *token.split(".")[1:])
    ),
    "another key": lambda token, claims: sign(claims, OTHER),
    "a key in the header": lambda token, claims: sign(
        claims, OTHER, jwk={"kty": "oct", "k": b64(OTHER.encode())}
    ),
    "a key in a file": lambda token, claims: sign(claims, "\0" * 32, kid="../../../../dev/zero"),
    "an empty key": lambda token, claims: sign_bytes(HEADER, json.dumps(claims).encode(), ""),
    "padding": lambda token, claims: token + "=",
    "a changed claim": lambda token, claims: ".".join(
        (token.split(".")[0], b64(json.dumps(claims | {"sub": "1"}).encode()), token.split(".")[2])
    ),
    "deep": lambda token, claims: f"{b64(b'[' * DEEP)}.{b64(b'[' * DEEP)}.x",
    "long": lambda token, claims: "x" * 5_000,
    "longer": lambda token, claims: token + "x" * 50_000,
}

WITH_THE_KEY: dict[str, Callable[[str, Claims], str]] = {
    "expired": lambda token, claims: sign(claims | {"exp": int(time.time()) - 61}),
    "HS512": lambda token, claims: sign(claims, alg="HS512"),
    "another kind": lambda token, claims: sign(claims | {"kind": "refresh"}),
    "no kind": lambda token, claims: sign(without(claims, "kind")),
    "no exp": lambda token, claims: sign(without(claims, "exp")),
    "exp in 10^30 seconds": lambda token, claims: sign(claims | {"exp": 10**30}),
    "exp after a year": lambda token, claims: sign(claims | {"exp": int(time.time()) + 365 * 86_400}),
    "exp infinite": lambda token, claims: sign(claims | {"exp": math.inf}),
    "exp 1e999": lambda token, claims: sign_bytes(
        HEADER, json.dumps(claims | {"exp": "?"}).replace('"?"', "1e999").encode()
    ),
    "exp NaN": lambda token, claims: sign(claims | {"exp": math.nan}),
    "exp negative": lambda token, claims: sign(claims | {"exp": -(10**30)}),
    "exp a word": lambda token, claims: sign_bytes(HEADER, json.dumps(claims | {"exp": "never"}).encode()),
    "exp a list": lambda token, claims: sign_bytes(HEADER, json.dumps(claims | {"exp": [1]}).encode()),
    "not yet": lambda token, claims: sign(claims | {"nbf": int(time.time()) + 1000}),
    "no iat": lambda token, claims: sign(without(claims, "iat")),
    "no sub": lambda token, claims: sign(without(claims, "sub")),
    "no sid": lambda token, claims: sign(without(claims, "sid")),
    "another user": lambda token, claims: sign(claims | {"sub": "1"}),
    "user 0": lambda token, claims: sign(claims | {"sub": "0"}),
    "user 10^30": lambda token, claims: sign(claims | {"sub": str(10**30)}),
    "a user with 5,000 digits": lambda token, claims: sign(claims | {"sub": "9" * 2_000}),
    "a name as user": lambda token, claims: sign(claims | {"sub": "admin"}),
    "another session": lambda token, claims: sign(claims | {"sid": "x" * 22}),
    "a session with NUL": lambda token, claims: sign(claims | {"sid": claims["sid"] + "\0"}),
    "a session that is not valid text": lambda token, claims: sign(claims | {"sid": "\ud800"}),
    "a list of sessions": lambda token, claims: sign(claims | {"sid": [claims["sid"]]}),
    "a claim that is not valid text": lambda token, claims: sign(claims | {"kind": "\udfff"}),
    "not an object": lambda token, claims: sign_bytes(HEADER, b"[]"),
    "a deep payload": lambda token, claims: sign_bytes(HEADER, b"[" * DEEP),
    "a payload that is not JSON": lambda token, claims: sign_bytes(HEADER, b"\xff"),
    "a critical extension": lambda token, claims: sign(claims, crit=["b64"], b64=False),
}
