"""The types of fields in requests, commands and events, and their limits.

All input is bounded here, because databases differ: SQLite stores values that PostgreSQL refuses.
"""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.core import emoji, names, scripts, text
from app.core.look_alikes import look_alike_keys

MAX_ID = 2**53 - 1
"""The largest integer that JavaScript represents exactly (ECMA-262, Number.MAX_SAFE_INTEGER)."""
MAX_CONTENT = 8_000
"""Characters of a message; at four bytes each they fit into MySQL's TEXT of 64 KB."""
MAX_NAME = 64
MAX_EMOJI = 32
EPOCH_NAME = r"^[A-Za-z0-9_-]{1,64}$"
MAX_KEY = 255
"""The width of the columns for keys of names; one letter of a name can become eighteen in its key."""


class Strict(BaseModel):
    """Base of all input: types are not coerced, and unknown keys are refused: one may change what is meant, and must
    not be lost without a word."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True)


def _digits(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise PydanticCustomError("int_parsing", "Only digits are a number here")
    return value


Digits = Annotated[int, BeforeValidator(_digits)]
"""A number in an address. Pydantic alone would also read `+1`, `1_000`, `1.0` and surrounding spaces."""


def _given(value: str) -> str:
    """Text that is only compared with what is stored. It is short, so it may have any number of marks."""
    if value.isascii() and "\0" not in value:
        return value
    if not text.is_storable(value):
        raise PydanticCustomError("unstorable", "This contains NUL or a lone surrogate")
    return text.normalize(value)


def _text(value: str) -> str:
    if text.has_too_many_marks(value):
        raise PydanticCustomError("too_many_marks", "This has more than 30 combining marks in a row")
    return _given(value)


def _visible(value: str) -> str:
    if not text.shows_something(value):
        raise PydanticCustomError("blank", "This is blank")
    return _text(value)


def _content(value: str) -> str:
    if value.isascii() and "!" <= value[:1] <= "~" and "\0" not in value:
        return value  # what `_visible` comes to for most messages
    normal = _visible(value)
    if len(normal) > MAX_CONTENT:  # a few characters become two or three in NFC
        raise PydanticCustomError("string_too_long", "This is longer than 8,000 characters")
    return normal


def _name(value: str) -> str:
    name = _visible(value)
    if names.has_hidden_characters(name) or name != name.strip() or len(name) > MAX_NAME:
        raise PydanticCustomError(
            "hidden_characters",
            "This contains hidden characters, or leading or trailing spaces",
        )
    return name


def _username(value: str) -> str:
    name = _name(value)
    if not all(
        char.isalnum() or char in names.PUNCTUATION or unicodedata.category(char)[0] == "M" for char in name
    ):
        raise PydanticCustomError(
            "username", "A username contains only letters, digits, spaces and . _ - + @"
        )
    if text.IGNORABLE.search(name):
        raise PydanticCustomError("hidden_characters", "This contains hidden characters")
    if names.has_stray_punctuation(name):
        raise PydanticCustomError(
            "username", "In a username, spaces and . _ - + @ are between letters or digits"
        )
    if scripts.mixes_scripts(name) or scripts.has_stray_marks(name):
        raise PydanticCustomError("username", "This mixes letters or marks of different scripts")
    if max(map(len, (names.name_key(name), *look_alike_keys(name)))) > MAX_KEY:
        raise PydanticCustomError("string_too_long", "This is too long in its normalized form")
    return name


def _emoji(value: str) -> str:
    complete = emoji.fully_qualified(value)
    if complete is None:
        raise PydanticCustomError("emoji", "This is not one emoji of Unicode's recommended set")
    return complete


def _printable(value: str) -> str:
    """Leave the value as it is, not normalized: the client that chose it has to recognise it.

    MariaDB ignores trailing spaces in comparisons, so they are refused.
    """
    if not value.isprintable() or value != value.strip():
        raise PydanticCustomError(
            "unprintable", "Only printable characters are allowed, without leading or trailing spaces"
        )
    return value


Content = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CONTENT), AfterValidator(_content)]
RoomName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(_name)]
Username = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(_username)]
GivenName = Annotated[str, StringConstraints(max_length=256), AfterValidator(_given)]
"""A name at sign-in: the rules for new names do not apply."""
NewPassword = Annotated[str, StringConstraints(min_length=8, max_length=256), AfterValidator(_text)]
"""NIST SP 800-63B section 5.1.1: at least 8 characters, no rules about which, and room for a passphrase."""
GivenPassword = Annotated[str, StringConstraints(max_length=256), AfterValidator(_given)]
ClientId = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_printable)]
Emoji = Annotated[str, StringConstraints(min_length=1, max_length=MAX_EMOJI), AfterValidator(_emoji)]
"""In its fully qualified form, whatever form a client sends."""
StoredEmoji = Annotated[str, StringConstraints(min_length=1, max_length=MAX_EMOJI), AfterValidator(_name)]
"""Names a reaction to remove, which may be older than the rule for new ones."""
TokenText = Annotated[str, StringConstraints(max_length=4096)]
Ref = Annotated[str, StringConstraints(max_length=64)] | Annotated[int, Field(ge=-MAX_ID, le=MAX_ID)]
EpochName = Annotated[str, StringConstraints(pattern=EPOCH_NAME)]
"""Named by the server; a client only hands it back."""
Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Seq = Annotated[int, Field(ge=0, le=MAX_ID)]

Timestamp = Annotated[
    str,
    Field(
        json_schema_extra={"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"}, examples=["2024-01-01T12:00:00"]
    ),
]
"""Whole seconds, no zone, UTC."""
Instant = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2024-01-01T12:00:00.123Z"])
]
"""RFC 3339, UTC, milliseconds."""
