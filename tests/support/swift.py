"""The Swift structs of the document, and a decoder that treats JSON as Foundation's JSONDecoder does.

It is strict: every key of the struct must be present and not null, a String is a string, an Int is a number without
a fraction that fits into 64 bits (so 1.0 is an Int, and true is not). Unknown keys are ignored.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

STRUCTS = """
struct LoginResponse: Codable {
    let accessToken: String
    let tokenType: String

    enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case tokenType = "token_type"
    }
}

struct ChatMessage: Codable {
    let type: String
    let roomId: Int
    let sender: String
    let message: String
    let timestamp: String

    enum CodingKeys: String, CodingKey {
        case type
        case roomId = "room_id"
        case sender
        case message
        case timestamp
    }
}

struct ChatRoom: Codable {
    let id: Int
    let name: String
    let createdAt: String

    enum CodingKeys: String, CodingKey {
        case id
        case name
        case createdAt = "created_at"
    }
}
"""
"""Copied verbatim from the document."""


class DecodingError(Exception):
    """The error that `try JSONDecoder().decode(…)` would throw."""


@dataclass(frozen=True)
class Struct:
    name: str
    fields: dict[str, tuple[str, str]]
    """Property → its key in JSON and its type."""

    def decode(self, data: str | bytes) -> dict[str, Any]:
        """Return the properties of the struct. Raises DecodingError."""
        try:
            document = json.loads(data, parse_constant=_not_json)
        except ValueError as error:
            raise DecodingError("dataCorrupted") from error
        if not isinstance(document, dict):
            raise DecodingError("typeMismatch: not an object")
        return {name: _value(document, key, kind) for name, (key, kind) in self.fields.items()}

    def decodes(self, data: str | bytes) -> bool:
        """Whether `try?` would return a value."""
        try:
            self.decode(data)
        except DecodingError:
            return False
        return True


def _value(document: dict[str, Any], key: str, kind: str) -> Any:
    if key not in document:
        raise DecodingError(f"keyNotFound: {key}")
    value = document[key]
    if value is None:
        raise DecodingError(f"valueNotFound: {key}")
    if kind == "String" and isinstance(value, str):
        return value
    if kind == "Int" and _is_whole(value) and -(2**63) <= value < 2**63:
        return int(value)
    raise DecodingError(f"typeMismatch: {key} is not of type {kind}")


def _is_whole(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and value == value // 1


def _not_json(constant: str) -> None:
    raise ValueError(constant)


def structs(source: str) -> dict[str, Struct]:
    """The decodable structs of a Swift source, by name."""
    found = {}
    declared = r"^( *)(?:private )?struct (\w+): (?:Codable|Decodable)(?:, Identifiable)? \{\n(.*?)\n\1\}"
    for _, name, body in re.findall(declared, source, re.DOTALL | re.MULTILINE):
        kinds = dict(re.findall(r"let (\w+): (\w+\??)", body))
        cases = ", ".join(re.findall(r"case (.+?)(?: \}|$)", body, re.MULTILINE))
        keys = {prop: key or prop for prop, key in re.findall(r'(\w+)(?: = "(\w+)")?(?:, |$)', cases)}
        found[name] = Struct(name, {prop: (keys[prop], kind) for prop, kind in kinds.items()})
    return found


LoginResponse, ChatMessage, ChatRoom = (
    structs(STRUCTS)[name] for name in ("LoginResponse", "ChatMessage", "ChatRoom")
)
