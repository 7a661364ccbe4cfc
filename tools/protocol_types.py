"""Write what the page's JavaScript knows of the socket protocol: `make protocol`.

The types of commands and events come from the AsyncAPI document that the server serves, and so do the meanings of the
close codes. The files are checked in because the page has no build step; a test holds them against `generated()`.
"""

import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.schemas import close_codes
from app.schemas.asyncapi.document import document
from app.schemas.close_codes import Close

Json = dict[str, Any]

SCRIPTS = Path(__file__).parents[1] / "app" / "static" / "js"
WIDTH = 110
NAMES = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}
"""What TypeScript calls the types of JSON Schema."""

COMES_BACK = """
/**
 * Whether a client may reconnect without changing anything. A code that has no name here, such as 1006, means
 * that the connection broke.
 * @param {number} code
 */
export function comesBack(code) {
  return !FINAL.has(code);
}
"""


def generated() -> dict[Path, str]:
    """The text of every generated file."""
    protocol = document("localhost", "ws")
    return {
        SCRIPTS / "protocol.d.ts": declarations(protocol),
        SCRIPTS / "socket" / "close_codes.js": close_code_module(protocol["x-close-codes"], named_closes()),
    }


# Commands and events


def declarations(protocol: Json) -> str:
    """TypeScript declarations of every schema of an AsyncAPI document, and of its commands and events by `type`."""
    components = protocol["components"]
    messages = components["messages"].values()
    commands = [one for one in messages if _is_command(one)]
    events = [one for one in messages if not _is_command(one)]
    return "\n".join(
        [
            _comment(
                "The socket protocol: commands, which a client sends, and events, which the server sends. "
                "Generated from the AsyncAPI document by `make protocol`; do not edit.",
            ),
            *(_interface(name, schema) for name, schema in components["schemas"].items()),
            _map("CommandMap", "Commands by their `type`.", commands),
            _map("EventMap", "Events by their `type`.", events),
            "export type Command = CommandMap[keyof CommandMap];",
            "export type ChatEvent = EventMap[keyof EventMap];\n",
        ]
    )


def _is_command(message: Json) -> bool:
    return any(tag["name"] == "command" for tag in message["tags"])


def _interface(name: str, schema: Json) -> str:
    required = set(schema.get("required", ()))
    properties = sorted(schema["properties"].items(), key=lambda one: one[0] != "type")
    fields = [_field(key, value, is_required=key in required) for key, value in properties]
    lines = [_comment(schema.get("description", "")), f"export interface {name} {{\n", *fields, "}\n"]
    return "".join(lines)


def _field(name: str, schema: Json, *, is_required: bool) -> str:
    mark = "" if is_required else "?"
    return f"{_comment(schema.get('description', ''), '  ')}  {_key(name)}{mark}: {type_of(schema)};\n"


def _map(name: str, meaning: str, messages: list[Json]) -> str:
    """An interface from the `type` of a frame to its shape, which discriminates the union of the shapes."""
    rows = [f"  {_key(one['name'])}: {_last(one['payload'])};\n" for one in messages]
    return "".join([_comment(meaning), f"export interface {name} {{\n", *rows, "}\n"])


def type_of(schema: Json) -> str:
    """The TypeScript type of a JSON Schema. Raises ValueError for a schema that this module does not understand."""
    if "$ref" in schema:
        return _last(schema)
    if "const" in schema:
        return json.dumps(schema["const"])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " | ".join(dict.fromkeys(type_of(choice) for choice in choices))
    if "enum" in schema:
        return " | ".join(json.dumps(choice) for choice in schema["enum"])
    match schema:
        case {"type": "array", "items": items}:
            item = type_of(items)
            return f"({item})[]" if " " in item else f"{item}[]"
        case {"type": str(name)} if name in NAMES:
            return NAMES[name]
    raise ValueError(f"no TypeScript type is known for {json.dumps(schema)}")


def _last(reference: Json) -> str:
    """The name at the end of a reference."""
    name: str = reference["$ref"].rpartition("/")[2]
    return name


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)


# Close codes


def named_closes() -> dict[str, Close]:
    """Every close code, by the name of its constant. A more precise reason for the same code is not another one."""
    return {name: value for name, value in vars(close_codes).items() if value in close_codes.CLOSES}


def close_code_module(meanings: Mapping[str, str], closes: Mapping[str, Close]) -> str:
    """A JavaScript module of the close codes. Raises ValueError if the document and the constants differ."""
    codes = {str(close.code) for close in closes.values()}
    if codes != set(meanings):
        raise ValueError(f"close codes differ: {sorted(codes.symmetric_difference(meanings))}")
    constants = [
        f"{_comment(meanings[str(close.code)])}export const {name} = {close.code};\n"
        for name, close in closes.items()
    ]
    final = ", ".join(name for name, close in closes.items() if not close.comes_back)
    title = "Close codes: why the server closes a connection. Generated by `make protocol`; do not edit."
    return "\n".join(
        [_comment(title), *constants, f"const FINAL = new Set([{final}]);\n", COMES_BACK.lstrip()]
    )


def _comment(text: str, indent: str = "") -> str:
    """A documentation comment, on one line if it fits; nothing for an empty text."""
    text = " ".join(text.split()).replace("*/", "*\\/")
    if not text:
        return ""
    line = f"{indent}/** {text} */\n"
    if len(line) <= WIDTH:
        return line
    lines = textwrap.wrap(text, WIDTH - len(indent) - 3)
    return "".join([f"{indent}/**\n", *(f"{indent} * {one}\n" for one in lines), f"{indent} */\n"])


def main() -> None:
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
