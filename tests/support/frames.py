"""Checks every frame that a test receives against the AsyncAPI document, and more strictly than the document itself:
clients must ignore unknown keys, but here an unknown key is a failure."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, TypeChecker
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from app.schemas.asyncapi import document as asyncapi

Json = dict[str, Any]

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
"""RFC 3339 in the only form that this server uses."""

formats = FormatChecker(formats=())


@formats.checks("date-time")
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or INSTANT.fullmatch(value) is not None


def _is_integer(_: TypeChecker, value: object) -> bool:
    """JSON Schema accepts 1.0 as an integer. Typed clients may not."""
    return isinstance(value, int) and not isinstance(value, bool)


_types = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
Strict: type[Validator] = extend(Draft202012Validator, type_checker=_types)  # type: ignore[no-untyped-call]


class WrongFrame(AssertionError):
    """The server sent a frame that its document does not allow."""


def check(frame: Json) -> Json:
    """Return the frame if it is exactly an event of the document. Raises WrongFrame."""
    schema = frame.get("type")
    if not isinstance(schema, str) or schema not in event_names():
        raise WrongFrame(f"{schema!r} is not the type of an event: {frame}")
    errors = [
        f"{error.json_path}: {error.message}" for error in validator(event_names()[schema]).iter_errors(frame)
    ]
    if errors:
        raise WrongFrame(f"{'; '.join(errors)}\nin {frame}")
    return frame


def check_message(message: Mapping[str, Any]) -> Json:
    """Return the message object, which is the same over REST. Raises WrongFrame."""
    if message.get("type") != "message":
        raise WrongFrame(f"not a message: {message}")
    return check({**message})


@cache
def event_names() -> dict[str, str]:
    """The name of the schema for each `type` of event."""
    return {asyncapi.type_of(model): model.__name__ for model in asyncapi.EVENT_MODELS}


@cache
def validator(name: str) -> Validator:
    """A strict validator for one schema of the document."""
    components = asyncapi.document("localhost", "ws")["components"]
    schemas = {key: closed(schema) for key, schema in components["schemas"].items()}
    return Strict({**schemas[name], "components": {"schemas": schemas}}, format_checker=formats)


def closed(schema: Any) -> Any:
    """The schema with all properties forbidden that it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: closed(part) for key, part in schema.items()}
    return parts | {"additionalProperties": False} if "properties" in parts else parts
