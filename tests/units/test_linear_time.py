"""Whatever reads what a client sends takes time in proportion to its length: twice the text, about twice the time.

Validators and patterns are found, not listed, so that a new one is tried too. A text that makes one of them slow
repeats some short piece of what it looks for: all are given many such texts.
"""

import contextlib
import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Annotated, Any, get_origin

import pytest
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.websockets import WebSocket
from uvicorn.middleware.proxy_headers import _TrustedHosts
from websockets.exceptions import InvalidHeader
from websockets.headers import parse_subprotocol

import app
from app.core import emoji, strict_json, text, unknown_keys
from app.core.addresses import origin
from app.core.config import Settings
from app.core.errors import AppError
from app.core.logs import redact
from app.core.security.tokens import Tokens
from app.routers import messages as message_routes
from app.schemas import fields
from app.schemas.commands import parse_command
from app.websocket import handshake
from app.websocket.connection import command_errors

MOST = 2.5
"""How much longer twice the text may take."""
SHORT_SECONDS = 0.005
"""Less than this is no attack, and too short to be compared on a busy machine."""
ROUNDS = 12
"""Attempts to find the least time for either length, of which a busy machine disturbs some."""
LENGTH = 1 << 13
"""Characters. What takes the square of the length takes 30 ms or more for twice as many."""

PIECES = (
    *(
        "a",
        " ",
        "\t",
        "\\",
        '"',
        "'",
        ".",
        "-",
        "_",
        "=",
        ":",
        ",",
        ";",
        "/",
        "?",
        "&",
        "%",
        "1",
        "0",
        "\0",
        "[",
        "{",
    ),
    *(
        "a.",
        "-eyJ",
        "eyJ",
        "eyJa.",
        "a.eyJ",
        "eyJa.a.",
        "token=",
        "?token=",
        'token="',
        "token\\",
        'token="\\',
        "token ",
    ),
    *(
        "bearer ",
        "bearer\\",
        "bearer, ",
        "password: ",
        "secret_key='",
        "\\'",
        "https://",
        "a.b.",
        "for=",
        "::",
        "1.",
    ),
    *(
        "\u0301",
        "e\u0301",
        "\u0f73",
        "\u0344",
        "\u0316\u0301",
        "\u1100",
        "\uac00",
        "\uf900",
        "\ufb2c",
        "\ufdfa",
        "漢",
        "ß",
    ),
    *(
        "\u200b",
        "\u200d",
        "\ufe0f",
        "❤",
        "❤\ufe0f\u200d",
        "👍",
        "🏽",
        "🇨",
        "\U0001f3f4\U000e0067",
        "\U000e0067",
        "\ud800",
    ),
)
BEGINNINGS = ("", "token=", 'token="', "bearer ", "eyJ", "a.", "https://", "\U0001f3f4", "a")

Read = Callable[[str], object]


def seconds(read: Read, given: str) -> float:
    start = time.process_time()
    with contextlib.suppress(AppError, ValidationError, ValueError, InvalidHeader):
        read(given)
    return time.process_time() - start


def growth(read: Read, beginning: str, piece: str, length: int, short: float = SHORT_SECONDS) -> float:
    """How much longer a text of twice the length takes; 0 if both take almost no time."""
    once, twice = ((beginning + piece * (size // len(piece))) for size in (length, 2 * length))
    least = [float("inf"), float("inf")]
    found = 0.0
    for _ in range(ROUNDS):
        least = [min(least[0], seconds(read, once)), min(least[1], seconds(read, twice))]
        found = 0.0 if least[1] < short else least[1] / max(least[0], 1e-6)
        if found <= MOST:
            break
    return found


def slow_text(read: Read, length: int = LENGTH, beginnings: Sequence[str] = ("",)) -> str | None:
    """The first text found that takes too long; None if there is none."""
    for piece in PIECES:
        for beginning in beginnings:
            found = growth(read, beginning, piece, length)
            # Half as long, it takes a quarter of the time; once more, or what disturbed the machine is found too.
            if found > MOST and growth(read, beginning, piece, length // 2, SHORT_SECONDS / 8) > MOST:
                return f"{beginning!r} and many {piece!r} take {found:.1f} times as long for twice the length"
    return None


SOURCE = "".join(file.read_text(encoding="utf-8") for file in Path(app.__path__[0]).rglob("*.py"))


def patterns() -> Iterator[tuple[str, Read]]:
    """Every pattern that a module of the server has compiled, in each way in which it is used."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                for way in set(re.findall(rf"\b{name}\.(\w+)\(", SOURCE)):
                    read = partial(value.sub, "") if way == "sub" else getattr(value, way)
                    yield f"{module.name}.{name}.{way}", read
    for name, value in vars(fields).items():
        if isinstance(value, str) and value.startswith("^"):
            yield f"fields.{name}", re.compile(value).search


PATTERNS = dict(patterns())
FIELDS = {
    name: TypeAdapter[Any](value)
    for name, value in vars(fields).items()
    if get_origin(value) is Annotated or name == "Ref"
}
FUNCTIONS: dict[str, Read] = {
    f"{module.__name__}.{name}": value
    for module in (text, emoji, unknown_keys)
    for name, value in vars(module).items()
    if isinstance(value, FunctionType)
    and not name.startswith("_")
    and [one.annotation for one in inspect.signature(value).parameters.values()] == [str]
}


def http_scope(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "method": "GET", "path": "/", "query_string": b"", "headers": [], **more}


def socket_with(**more: Any) -> WebSocket:
    async def nothing(*_: object) -> Any:
        """Neither receive nor send."""

    return WebSocket(http_scope("websocket", **more), nothing, nothing)


def as_header(name: str, value: str) -> dict[str, Any]:
    return {"headers": [(name.encode(), value.encode("utf-8", "replace"))]}


def check_query(value: str) -> None:
    handshake.check_parameters(socket_with(query_string=value.encode("utf-8", "replace")), has_room=True)


def read_command(value: str, key: str = "content") -> None:
    data: object = {"type": "message", key: value}
    try:
        parse_command(data)
    except ValidationError as error:
        command_errors.explain(error, data)
        command_errors.labels(data)


def explain_many_keys(value: str) -> None:
    data: object = {"type": "message"} | {f"{value[:3]}{number}": 1 for number in range(len(value) // 8)}
    try:
        parse_command(data)
    except ValidationError as error:
        command_errors.explain(error, data)


def link_to_pages(value: str) -> None:
    scope = http_scope("http", query_string=value.encode("utf-8", "replace"), server=("localhost", 80))
    message_routes._links(Request(scope), [{"id": 7}])  # type: ignore[typeddict-item]


PARSERS: dict[str, Read] = {
    "redacted logs": redact,
    "an access token": Tokens("k" * 32, 60).read,
    "the address of a client": origin,
    "the token of a socket": lambda value: handshake.find_token(
        socket_with(**as_header("authorization", value))
    ),
    "a bearer token": lambda value: handshake.find_token(
        socket_with(**as_header("authorization", f"Bearer {value}"))
    ),
    "subprotocols": lambda value: parse_subprotocol(value.encode("ascii", "replace").decode()),
    "the list of subprotocols": lambda value: handshake.find_token(
        socket_with(subprotocols=["bearer", value])
    ),
    "the origin of a page": lambda value: handshake.check_origin(
        socket_with(**as_header("origin", value)), Settings(cors_origins=["https://example.com"])
    ),
    "parameters of a socket": check_query,
    "a number": lambda value: handshake.parse_number(value, 0),
    "an epoch": handshake.parse_epoch,
    "Accept": lambda value: (
        "text/html" in Request(http_scope("http", **as_header("accept", value))).headers["accept"]
    ),
    "Link": link_to_pages,
    "X-Forwarded-For": _TrustedHosts("127.0.0.1").get_trusted_client_address,
    "an address": lambda value: URL(f"/{value}").include_query_params(a=1),
    "a command": read_command,
    "a key of a command": lambda value: read_command("x", key=value),
    "keys of a command": explain_many_keys,
    "JSON": lambda value: strict_json.decode(value.encode("utf-8", "surrogatepass")),
    "a JSON string": lambda value: strict_json.decode(
        strict_json.encode(value.encode("utf-8", "replace").decode())
    ),
    "depth": lambda value: strict_json.decode(b"[" * len(value) + b"]" * len(value)),
    "a list": lambda value: strict_json.decode(b"[" + b"1," * len(value) + b"1]"),
    "an object": lambda value: strict_json.decode(
        b"{" + b",".join(b'"%d":1' % n for n in range(len(value) // 8)) + b"}"
    ),
    "escapes": lambda value: strict_json.decode(b'"' + rb"\u0041" * len(value) + b'"'),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_time_in_proportion_to_the_text(name: str) -> None:
    assert not slow_text(PATTERNS[name], beginnings=BEGINNINGS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_takes_time_in_proportion_to_the_text(name: str) -> None:
    """Twice a short text and twice a long one: most fields look only at short ones."""
    validate = FIELDS[name].validate_python
    assert not slow_text(validate, fields.MAX_CONTENT // 2)
    assert not slow_text(validate)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_text_takes_time_in_proportion_to_it(name: str) -> None:
    read = FUNCTIONS[name]
    if name == "app.core.text.normalize":  # every caller has refused long runs of marks before
        read = lambda given: text.has_too_many_marks(given) or text.normalize(given)  # noqa: E731
    length = fields.MAX_KEY if name == "app.core.text.name_key" else LENGTH  # only names get there
    assert not slow_text(read, length)


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_takes_time_in_proportion_to_the_text(name: str) -> None:
    assert not slow_text(PARSERS[name])


@pytest.mark.parametrize("read", [re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*").search, text.normalize])
def test_what_takes_the_square_of_the_length_is_found(read: Read) -> None:
    assert slow_text(read, LENGTH // 2)


def test_patterns_fields_and_functions_are_found() -> None:
    assert {"app.core.logs.SECRETS.sub", "app.core.text.FLAG_TAGS.sub", "fields.EPOCH_NAME"} <= {*PATTERNS}
    assert "app.core.security.tokens.TOKEN_PATTERN.fullmatch" in PATTERNS
    assert {"Content", "Username", "RoomName", "Emoji", "StoredEmoji", "ClientId", "NewPassword", "Ref"} <= {
        *FIELDS
    }
    assert {"app.core.text.normalize", "app.core.text.shows_something", "app.core.emoji.fully_qualified"} <= {
        *FUNCTIONS
    }
