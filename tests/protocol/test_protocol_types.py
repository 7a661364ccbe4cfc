"""The page's types and close codes follow from the AsyncAPI document."""

from typing import Any

import pytest

from app.schemas.close_codes import CLOSES, Close
from tests.support.server import ROOT
from tools import protocol_types

Json = dict[str, Any]

DOCUMENT: Json = {
    "components": {
        "messages": {
            "Say": {
                "name": "say.it",
                "tags": [{"name": "command"}],
                "payload": {"$ref": "#/components/schemas/Say"},
            },
            "Said": {
                "name": "said",
                "tags": [{"name": "durable"}],
                "payload": {"$ref": "#/components/schemas/Said"},
            },
        },
        "schemas": {
            "Say": {
                "description": "Say\n    something.",
                "properties": {"text": {"type": "string"}, "type": {"const": "say.it", "type": "string"}},
                "required": ["text", "type"],
            },
            "Said": {
                "properties": {
                    "type": {"const": "said"},
                    "by": {"type": "string", "description": "A name, " + "which is long " * 10},
                },
                "required": ["type"],
            },
        },
    },
}

DECLARATIONS = """
/** Say something. */
export interface Say {
  type: "say.it";
  text: string;
}

export interface Said {
  type: "said";
  /**
   * A name, which is long which is long which is long which is long which is long which is long which is long
   * which is long which is long which is long
   */
  by?: string;
}

/** Commands by their `type`. */
export interface CommandMap {
  "say.it": Say;
}

/** Events by their `type`. */
export interface EventMap {
  said: Said;
}

export type Command = CommandMap[keyof CommandMap];
export type ChatEvent = EventMap[keyof EventMap];
"""


@pytest.mark.parametrize(
    "path, text", protocol_types.generated().items(), ids=lambda value: getattr(value, "name", "text")
)
def test_the_checked_in_file_is_up_to_date(path: Any, text: str) -> None:
    assert path.is_relative_to(ROOT / "app" / "static")
    assert path.read_text(encoding="utf-8") == text, "run `make protocol`"


def test_every_message_is_a_member_of_one_of_the_two_unions() -> None:
    text = protocol_types.declarations(DOCUMENT)
    assert text.endswith(DECLARATIONS)


@pytest.mark.parametrize(
    "schema, expected",
    [
        ({"type": "integer", "minimum": 1}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"const": "message", "type": "string"}, '"message"'),
        ({"const": True}, "true"),
        ({"enum": ["add", "remove"], "type": "string"}, '"add" | "remove"'),
        ({"$ref": "#/components/schemas/UserOut"}, "UserOut"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/ReactionOut"}}, "ReactionOut[]"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, '("a" | "b")[]'),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}, "string | number | null"),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "number"),
    ],
)
def test_a_schema_becomes_a_type(schema: Json, expected: str) -> None:
    assert protocol_types.type_of(schema) == expected


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"type": ["string", "null"]}, {"type": "array"}])
def test_a_schema_without_a_known_type_is_an_error_and_not_the_type_any(schema: Json) -> None:
    with pytest.raises(ValueError, match="no TypeScript type"):
        protocol_types.type_of(schema)


def test_every_close_code_has_a_name() -> None:
    assert tuple(protocol_types.named_closes().values()) == CLOSES


def test_a_close_code_that_the_document_does_not_explain_is_an_error() -> None:
    closes = {"GONE": Close(4410, "Gone.", comes_back=False, meaning="It is gone.")}
    assert "export const GONE = 4410;" in protocol_types.close_code_module({"4410": "It is gone."}, closes)
    for meanings in {}, {"4410": "It is gone.", "4411": "And this one."}:
        with pytest.raises(ValueError, match="close codes differ"):
            protocol_types.close_code_module(meanings, closes)
