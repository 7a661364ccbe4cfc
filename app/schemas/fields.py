"""The fields that requests, commands and events are made of, and their limits.

Everything is bounded here, at the edge, because databases disagree: SQLite stores what PostgreSQL refuses.
"""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.core import text

MAX_ID = 2**53 - 1
"""The largest integer that JavaScript holds exactly (ECMA-262, Number.MAX_SAFE_INTEGER)."""
MAX_CONTENT = 8_000
"""Characters of a message; with four bytes each they fit MySQL's TEXT of 64 KB."""
MAX_NAME = 64
MAX_KEY = 255
"""What the column of `text.name_key` takes; one letter of a name can become eighteen in its key."""


class Strict(BaseModel):
    """What comes in: types are not bent, unknown fields are ignored so that newer clients can talk to older servers."""

    model_config = ConfigDict(strict=True, frozen=True, use_attribute_docstrings=True)


def _text(value: str) -> str:
    if value.isascii() and "\0" not in value:
        return value
    if not text.is_storable(value):
        raise PydanticCustomError("unstorable", "This holds NUL or half of a surrogate pair")
    return text.normalize(value)


def _content(value: str) -> str:
    if value.isspace():
        raise PydanticCustomError("blank", "This is blank")
    normal = _text(value)
    if len(normal) > MAX_CONTENT:  # a few characters become two or three in NFC
        raise PydanticCustomError("string_too_long", "This is longer than 8,000 characters")
    return normal


def _visible(value: str) -> str:
    if value.isspace():
        raise PydanticCustomError("blank", "This is blank")
    name = _text(value)
    if text.has_hidden_characters(name) or name != name.strip() or len(name) > MAX_NAME:
        raise PydanticCustomError(
            "hidden_characters", "This holds control or direction characters, or outer spaces"
        )
    return name


def _username(value: str) -> str:
    name = _visible(value)
    if not all(char.isalnum() or char in "._-+@ " or unicodedata.category(char)[0] == "M" for char in name):
        raise PydanticCustomError("username", "A username is made of letters, digits, spaces and . _ - + @")
    if text.IGNORABLE.search(name) or "  " in name:
        raise PydanticCustomError("hidden_characters", "This holds something that cannot be seen")
    if len(text.name_key(name)) > MAX_KEY:
        raise PydanticCustomError("string_too_long", "This is too long when it is written out")
    return name


def _printable(value: str) -> str:
    """Whoever made it up has to recognise it, so it stays as it is, without a normal form.

    MariaDB compares without the spaces at the end, so there are none.
    """
    if not value.isprintable() or value != value.strip():
        raise PydanticCustomError(
            "unprintable", "Only printable characters are allowed here, and no outer spaces"
        )
    return value


Content = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CONTENT), AfterValidator(_content)]
RoomName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(_visible)]
Username = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(_username)]
GivenName = Annotated[str, StringConstraints(max_length=256), AfterValidator(_text)]
"""A name somebody signs in with: whether it is a good one does not matter any more."""
NewPassword = Annotated[str, StringConstraints(min_length=8, max_length=256), AfterValidator(_text)]
"""NIST SP 800-63B section 5.1.1: at least 8 characters, no rules about which, and room for a passphrase."""
GivenPassword = Annotated[str, StringConstraints(max_length=256), AfterValidator(_text)]
ClientId = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_printable)]
Emoji = Annotated[str, StringConstraints(min_length=1, max_length=32), AfterValidator(_visible)]
TokenText = Annotated[str, StringConstraints(max_length=4096)]
Ref = Annotated[str, StringConstraints(max_length=64)] | Annotated[int, Field(ge=-MAX_ID, le=MAX_ID)]
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
