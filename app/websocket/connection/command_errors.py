"""Answers to frames that are not commands: the reason, and the labels that their sender gave them."""

from pydantic import ConfigDict, TypeAdapter, ValidationError

from app.core.errors import BadRequest
from app.core.unknown_keys import first_unknown, no_such, shown
from app.schemas.commands import KEYS
from app.schemas.fields import Ref

MAX_CLIENT_ID = 64

SENTENCES = {
    "union_tag_invalid": "type: There is no such command.",  # not even text
    "union_tag_not_found": "type: Field required.",
    "model_attributes_type": "A command is a JSON object.",
}
"""Clearer sentences than Pydantic's, by its types of errors."""

_REF: TypeAdapter[Ref] = TypeAdapter(Ref, config=ConfigDict(strict=True))


class InvalidCommand(BadRequest):
    """This is not a command."""


def is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def labels(data: object) -> tuple[Ref | None, str | None]:
    """The `ref` and the `client_id` of an invalid command, where they are valid themselves."""
    if not isinstance(data, dict):
        return None, None
    try:
        ref = _REF.validate_python(data.get("ref"))
    except ValidationError:
        ref = None
    client_id = data.get("client_id")
    return ref, client_id if isinstance(client_id, str) and len(client_id) <= MAX_CLIENT_ID else None


def explain(error: ValidationError, data: object) -> str:
    """The first thing that is wrong with `data`, in a sentence. An unknown key or type comes first: it often explains a
    missing one, and Pydantic takes long to list thousands of them."""
    kind = data.get("type") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(kind, str):
        if kind not in KEYS:
            return f"type: {no_such('command', kind, KEYS)}."
        unknown = first_unknown(data, KEYS[kind])
        if unknown is not None:
            return f"{shown(unknown)}: {no_such('key', unknown, KEYS[kind])}."
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] in SENTENCES:
        return SENTENCES[first["type"]]
    where = "".join(str(part) for part in first["loc"][1:2])  # deeper parts are names of our own types
    return f"{where}: {first['msg']}." if where else f"{first['msg']}."
