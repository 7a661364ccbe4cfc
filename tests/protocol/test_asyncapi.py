"""The AsyncAPI document: valid by the schema of the standard, and complete by the models of this project."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel

from app import __version__
from app.schemas import close_codes
from app.schemas.asyncapi import document as asyncapi
from app.schemas.asyncapi import examples
from app.schemas.commands import COMMAND_ADAPTER
from app.schemas.frames import Command, Event
from tests.support import frames
from tests.support.server import ChatServer

Json = dict[str, Any]

STANDARD = Draft7Validator(json.loads((Path(__file__).parent / "asyncapi" / "schema.json").read_text()))
KINDS = asyncapi.COMMAND_MODELS + asyncapi.EVENT_MODELS


@pytest.fixture
def document() -> Json:
    return deepcopy(asyncapi.document("chat.example", "wss"))


def test_the_document_is_valid_asyncapi(document: Json) -> None:
    assert [f"{error.json_path}: {error.message}" for error in STANDARD.iter_errors(document)] == []


@pytest.mark.parametrize(
    "path",
    [
        "info.title",
        "channels.room.addres",
        "operations.room.ping.action",
        "components.messages.Ping.payloads",
    ],
)
def test_the_schema_of_the_standard_finds_mistakes(document: Json, path: str) -> None:
    holder, key = document, ""
    parts = path.replace("room.ping", "room/ping").split(".")
    for part in parts[:-1]:
        holder = holder[part.replace("/", ".")]
    key = parts[-1]
    holder[key] = 7
    assert not STANDARD.is_valid(document)


def test_every_reference_can_be_resolved(document: Json) -> None:
    found = list(references(document))
    assert len(found) > len(KINDS)
    for reference in found:
        place: Any = document
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


def subclasses(model: type[BaseModel]) -> set[type[BaseModel]]:
    return {model} | {found for child in model.__subclasses__() for found in subclasses(child)}


def test_every_command_and_event_is_in_the_document(document: Json) -> None:
    models = {model for base in (Command, Event) for model in subclasses(base)}
    with_type = {model.__name__ for model in models if "type" in model.model_fields} | {"MessageOut"}
    assert set(document["components"]["messages"]) == with_type
    for channel in document["channels"].values():
        assert set(channel["messages"]) == with_type


def test_every_command_is_received_and_every_event_is_sent_in_each_channel(document: Json) -> None:
    for channel in ("room", "rooms"):
        operations = [
            one for one in document["operations"].values() if one["channel"]["$ref"].endswith(f"/{channel}")
        ]
        received = {names(one)[0] for one in operations if one["action"] == "receive"}
        assert received == {model.__name__ for model in asyncapi.COMMAND_MODELS}
        sent = {name for one in operations if one["action"] == "send" for name in names(one)}
        answers = {name for one in operations if "reply" in one for name in names(one["reply"])}
        assert sent | answers == {model.__name__ for model in asyncapi.EVENT_MODELS}


def names(operation: Json) -> list[str]:
    return [message["$ref"].rpartition("/")[2] for message in operation["messages"]]


@pytest.mark.parametrize("model", KINDS, ids=lambda model: model.__name__)
def test_every_kind_of_frame_has_a_summary_and_valid_examples(document: Json, model: type[BaseModel]) -> None:
    message = document["components"]["messages"][model.__name__]
    assert message["summary"].endswith(".")
    assert message["examples"]
    for example in message["examples"]:
        assert example["payload"]["type"] == message["name"]
        frames.validator(model.__name__).validate(example["payload"])


def test_the_examples_of_commands_are_commands(document: Json) -> None:
    for frame in examples.COMMAND_EXAMPLES:
        COMMAND_ADAPTER.validate_python(frame)


def test_an_event_has_a_seq_exactly_if_it_is_durable(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for model in (*asyncapi.DURABLE, *asyncapi.EPHEMERAL):
        schema = schemas[model.__name__]
        assert ("seq" in schema["required"]) is (model in asyncapi.DURABLE)
        assert ("seq" in schema["properties"]) is (model in asyncapi.DURABLE)


def test_every_close_code_is_explained(document: Json) -> None:
    used = {value.code for value in vars(close_codes).values() if isinstance(value, close_codes.Close)}
    explained = {int(code) for code in document["x-close-codes"]}
    assert explained == used
    for code in explained:
        assert f"**{code}**" in document["info"]["description"]


def test_the_server_serves_the_document_with_its_own_address(server: ChatServer) -> None:
    answer = httpx.get(f"{server.url}/asyncapi.json")
    assert answer.headers["content-type"] == "application/json"
    served = answer.json()
    assert served["info"]["version"] == __version__
    assert served["servers"]["this"] | {"security": []} == {
        "host": f"127.0.0.1:{server.port}",
        "protocol": "ws",
        "security": [],
    }
    assert served["channels"] == asyncapi.document("", "ws")["channels"]
