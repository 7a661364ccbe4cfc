"""The socket protocol as an AsyncAPI 3.0 document, generated from the commands and the events.

It takes the server's view, as AsyncAPI requires: the server *receives* commands and *sends* events.
"""

from functools import cache
from typing import Any, Literal, get_args

from pydantic import BaseModel

from app import __version__
from app.schemas import commands, events
from app.schemas.asyncapi import examples, json_schema
from app.schemas.asyncapi.handshake import EPOCH, HEADERS, SECURITY, SINCE, TOKEN
from app.schemas.close_codes import CLOSES
from app.schemas.connections import Ack, Error, Ping, Pong
from app.schemas.members import MemberJoined
from app.schemas.messages import MessageDeleted, MessageOut, MessageUpdated
from app.schemas.presence import Presence, Typing, UserTyping
from app.schemas.reactions import ReactionChanged
from app.schemas.receipts import MessagesRead
from app.schemas.subscriptions import Subscribe, Synced

Json = dict[str, Any]
Models = tuple[type[BaseModel], ...]

COMMAND_MODELS: Models = commands.COMMAND_MODELS
EVENT_MODELS: Models = get_args(get_args(events.AnyEvent)[0])

DURABLE: Models = (
    MessageOut,
    MessageUpdated,
    MessageDeleted,
    ReactionChanged,
    MemberJoined,
)
"""Numbered, stored, and never dropped."""
EPHEMERAL: Models = (UserTyping, MessagesRead, Presence)
"""For clients that are connected now, and the first to be dropped for a listener that falls behind."""

ANSWERS: dict[type[BaseModel], Models] = {
    Typing: (),
    Subscribe: (Synced,),
    Ping: (Pong,),
}
"""Answers to commands with a `ref`, where it is not `ack`. Every command may be answered by `error`."""

DESCRIPTION = """
A client sends commands and receives events, each a JSON object with a `type`, in a text or a binary frame of its own.
Durable events carry `seq`, the room's count of changes, without gaps; a client that reconnects with the last one it has
receives everything since. Clients ignore unknown types and keys: new ones may be added.

The server closes a connection with one of these codes:

"""


def document(host: str, protocol: Literal["ws", "wss"], path: str = "") -> Json:
    """The document of the server at `host`, below `path`."""
    server = {
        "host": host,
        **({"pathname": path} if path else {}),
        "protocol": protocol,
        "security": [_ref("components", "securitySchemes", name) for name in SECURITY],
    }
    return {"asyncapi": "3.0.0", "info": _info(), "servers": {"this": server}} | _contents()


def _info() -> Json:
    codes = "\n".join(f"- **{close.code}** {close.meaning}" for close in CLOSES)
    return {
        "title": "Chat backend",
        "version": __version__,
        "description": DESCRIPTION.strip() + "\n\n" + codes,
    }


@cache
def _contents() -> Json:
    channels = {
        "room": _channel(
            "/ws/chat/{room_id}",
            "One room",
            "Connecting joins the room, and commands without `room_id` refer to it.",
            {"token": TOKEN, "since": SINCE, "epoch": EPOCH},
        ),
        "rooms": _channel(
            "/ws",
            "Many rooms",
            "Commands name their room with `room_id`; `subscribe` starts listening to a room.",
            {"token": TOKEN},
        ),
    }
    channels["room"]["parameters"] = {"room_id": {"description": "The id of a room.", "examples": ["1"]}}
    return {
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {name: operation for channel in channels for name, operation in _operations(channel)},
        "components": {
            "messages": {model.__name__: _message(model) for model in COMMAND_MODELS + EVENT_MODELS},
            "schemas": json_schema.schemas(COMMAND_MODELS, "validation")
            | json_schema.schemas(EVENT_MODELS, "serialization"),
            "securitySchemes": SECURITY,
        },
        "x-close-codes": {str(close.code): close.meaning for close in CLOSES},
    }


def _channel(address: str, title: str, description: str, query: Json) -> Json:
    binding = {
        "method": "GET",
        "query": {"type": "object", "properties": query, "additionalProperties": False},
        "headers": HEADERS,
        "bindingVersion": "0.1.0",
    }
    return {
        "address": address,
        "title": title,
        "description": description,
        "messages": {
            model.__name__: _ref("components", "messages", model.__name__)
            for model in COMMAND_MODELS + EVENT_MODELS
        },
        "bindings": {"ws": binding},
    }


def _operations(channel: str) -> list[tuple[str, Json]]:
    """One operation for every command, with its answers, and one for the events that are not answers."""

    def operation(action: str, summary: str, models: Models) -> Json:
        return {
            "action": action,
            "channel": _ref("channels", channel),
            "summary": summary,
            "messages": messages(models),
        }

    def messages(models: Models) -> list[Json]:
        return [_ref("channels", channel, "messages", model.__name__) for model in models]

    pushed = tuple(model for model in EVENT_MODELS if model not in (Ack, Pong, Error))
    found = [(f"{channel}.events", operation("send", "The events that the server sends.", pushed))]
    for command in COMMAND_MODELS:
        replies: Models = (*ANSWERS.get(command, (Ack,)), Error)
        received = operation("receive", _summary(command), (command,))
        received["reply"] = {"channel": _ref("channels", channel), "messages": messages(replies)}
        found.append((f"{channel}.{type_of(command)}", received))
    return found


def _message(model: type[BaseModel]) -> Json:
    shown = examples.COMMAND_EXAMPLES if model in COMMAND_MODELS else examples.EVENT_EXAMPLES
    message: Json = {
        "name": type_of(model),
        "title": type_of(model),
        "summary": _summary(model),
        "tags": [{"name": _kind(model)}],
        "payload": _ref("components", "schemas", model.__name__),
        "examples": [{"payload": frame} for frame in shown if frame["type"] == type_of(model)],
    }
    if "ref" in model.model_fields:
        message["correlationId"] = {"location": "$message.payload#/ref"}
    return message


def type_of(model: type[BaseModel]) -> str:
    """The `type` of its frames."""
    name: str = get_args(model.model_fields["type"].annotation)[0]
    return name


def _kind(model: type[BaseModel]) -> str:
    if model in COMMAND_MODELS:
        return "command"
    if model in DURABLE:
        return "durable"
    return "ephemeral" if model in EPHEMERAL else "connection"


def _summary(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _ref(*path: str) -> Json:
    return {"$ref": "#/" + "/".join(path)}
