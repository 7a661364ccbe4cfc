"""Tests of the check that every received frame goes through."""

from typing import Any

import pytest

from app.schemas.asyncapi import document as asyncapi
from app.schemas.asyncapi import examples
from tests.support import frames

APPENDED = {"type", "room_id", "sender", "message", "timestamp"}
"""Clients append every frame that has all of these keys to the conversation."""
BY_TYPE = {frame["type"]: frame for frame in examples.EVENT_EXAMPLES}


def test_a_valid_frame_passes() -> None:
    for frame in examples.EVENT_EXAMPLES:
        assert frames.check(frame) is frame


@pytest.mark.parametrize("frame", BY_TYPE.values(), ids=BY_TYPE)
def test_an_undocumented_key_fails(frame: dict[str, Any]) -> None:
    with pytest.raises(frames.WrongFrame, match="surprise"):
        frames.check(frame | {"surprise": 1})


@pytest.mark.parametrize("model", asyncapi.EVENT_MODELS, ids=lambda model: model.__name__)
def test_a_missing_key_fails(model: type) -> None:
    schema = frames.validator(model.__name__).schema
    assert isinstance(schema, dict)
    frame = BY_TYPE[asyncapi.type_of(model)]
    for key in set(schema["required"]) - {"type"}:
        without = {name: value for name, value in frame.items() if name != key}
        with pytest.raises(frames.WrongFrame, match=key):
            frames.check(without)


@pytest.mark.parametrize(
    "type_, key, value",
    [
        ("message", "id", "7"),
        ("message", "id", 7.0),
        ("message", "id", True),
        ("message", "room_id", 0),
        ("message", "seq", 2**53),
        ("message", "message", None),
        ("message", "edited_at", None),
        ("message", "duplicate", True),
        ("message", "timestamp", "2024-01-01T12:00:00Z"),
        ("message", "timestamp", "2024-01-01 12:00:00"),
        ("message", "created_at", "2024-01-01T12:00:00Z"),
        ("message", "created_at", "2024-01-01T12:00:00.123+00:00"),
        ("message", "reactions", [{"emoji": "👍", "users": ["ben"], "count": 1, "more": True}]),
        ("message", "reactions", [{"emoji": "👍", "users": ["ben"]}]),
        ("reaction", "action", "toggle"),
        ("ready", "user", {"id": 2, "username": "ann"}),
        ("synced", "truncated", 0),
        ("presence", "online", None),
        ("error", "ref", None),
    ],
)
def test_an_invalid_value_fails(type_: str, key: str, value: object) -> None:
    with pytest.raises(frames.WrongFrame):
        frames.check(BY_TYPE[type_] | {key: value})


def test_an_undocumented_event_fails() -> None:
    with pytest.raises(frames.WrongFrame, match="newcomer"):
        frames.check({"type": "newcomer"})
    with pytest.raises(frames.WrongFrame):
        frames.check({"code": "no_type"})


def test_only_a_message_has_all_keys_that_make_clients_append_it() -> None:
    for model in asyncapi.EVENT_MODELS:
        schema = frames.validator(model.__name__).schema
        assert isinstance(schema, dict)
        assert schema["additionalProperties"] is False
        is_message = asyncapi.type_of(model) == "message"
        assert (schema["properties"].keys() >= APPENDED) is is_message


def test_only_a_message_passes_as_a_message_of_the_history() -> None:
    assert frames.check_message(BY_TYPE["message"])
    with pytest.raises(frames.WrongFrame):
        frames.check_message(BY_TYPE["message.deleted"])
