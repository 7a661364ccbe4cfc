"""Answers to frames that are not commands: the reason, and the labels that their sender gave them."""

from pydantic import ConfigDict, TypeAdapter, ValidationError

from app.core.errors import BadRequest
from app.schemas.fields import Ref

MAX_CLIENT_ID = 64

SENTENCES = {
    "union_tag_invalid": "type: There is no such command.",
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


def explain(error: ValidationError) -> str:
    """The first thing that is wrong, in a sentence."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] in SENTENCES:
        return SENTENCES[first["type"]]
    where = "".join(str(part) for part in first["loc"][1:2])  # deeper parts are names of our own types
    return f"{where}: {first['msg']}." if where else f"{first['msg']}."
