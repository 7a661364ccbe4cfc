"""The protocol of each kind of server: where to connect, when a socket is ready, how to send a message."""

from dataclasses import dataclass
from typing import Protocol

import orjson

MARK = b"|"
"""Occurs once in every message and in nothing else, so that messages are counted without reading frames."""
SIZE = 225
"""Bytes of a delivered message: the size of ours with the content below. Messages of the peers are padded to it."""


def content(tag: str = "a") -> str:
    """The content of a message. `tag` distinguishes the senders of one room."""
    return f"|{tag} hello, this is one chat message"


@dataclass(frozen=True)
class Seat:
    """One user's place in a room. `token` is empty if the server needs none."""

    room: str
    token: str = ""


class Dialect(Protocol):
    """The protocol of one kind of server."""

    def path(self, seat: Seat) -> str:
        """The path of the socket."""

    def greet(self, seat: Seat, payload: bytes) -> tuple[bytes | None, bool]:
        """The answer to a frame while joining, and whether the socket has joined its room now."""

    def ready_at_once(self) -> bool:
        """Whether the socket has joined its room when the handshake is done."""

    def say(self, seat: Seat, text: str) -> bytes:
        """The payload that sends `text` to the room."""


def _message_object(text: str, size: int) -> dict[str, object]:
    """A message object like those of this project, built by the client for servers that add nothing."""
    message: dict[str, object] = {
        "type": "message", "id": 100001, "room_id": 1, "seq": 100001, "sender": "alice", "sender_id": 3,
        "message": text, "timestamp": "2024-01-01T12:00:00", "created_at": "2024-01-01T12:00:00.123Z",
    }  # fmt: skip
    missing = size - len(orjson.dumps(message)) - len(',"client_id":""')
    return message | {"client_id": "x" * max(0, missing)}


class Plain:
    """Servers that send every message to all sockets of the same path."""

    def path(self, seat: Seat) -> str:
        return f"/ws/{seat.room}"

    def greet(self, seat: Seat, payload: bytes) -> tuple[bytes | None, bool]:
        return None, True

    def ready_at_once(self) -> bool:
        return True

    def say(self, seat: Seat, text: str) -> bytes:
        return orjson.dumps(_message_object(text, SIZE))


class Ours:
    """This project: one room per socket, ready after the `ready` event."""

    def path(self, seat: Seat) -> str:
        return f"/ws/chat/{seat.room}?token={seat.token}"

    def greet(self, seat: Seat, payload: bytes) -> tuple[bytes | None, bool]:
        return None, b'"type":"ready"' in payload

    def ready_at_once(self) -> bool:
        return False

    def say(self, seat: Seat, text: str) -> bytes:
        return orjson.dumps({"type": "message", "content": text})


class SocketIO:
    """Socket.IO 5 over Engine.IO 4, WebSocket transport only."""

    def path(self, seat: Seat) -> str:
        return "/socket.io/?EIO=4&transport=websocket"

    def greet(self, seat: Seat, payload: bytes) -> tuple[bytes | None, bool]:
        if payload.startswith(b"0{"):
            return b"40", False
        if payload.startswith(b"40"):
            return b"420" + orjson.dumps(["join", seat.room]), False
        return None, payload.startswith(b"430")

    def ready_at_once(self) -> bool:
        return False

    def say(self, seat: Seat, text: str) -> bytes:
        return b"42" + orjson.dumps(
            ["message", seat.room, _message_object(text, SIZE - len('42["message",]'))]
        )


DIALECTS: dict[str, Dialect] = {"plain": Plain(), "ours": Ours(), "socketio": SocketIO()}
