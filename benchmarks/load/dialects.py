"""How each kind of server is spoken to: where to connect, when a socket is ready, how to say something."""

from dataclasses import dataclass
from typing import Protocol

import orjson

MARK = b"|"
"""Occurs once in every message and in nothing else, so that messages are counted without reading frames."""
SIZE = 225
"""Bytes of a delivered message: what ours weighs with the content below; the peers are given as many."""


def content(tag: str = "a") -> str:
    """What is said. `tag` tells the speakers of one room apart."""
    return f"|{tag} hello, this is one chat message"


@dataclass(frozen=True)
class Seat:
    """A place in a room: `token` is empty where the server asks for none."""

    room: str
    token: str = ""


class Dialect(Protocol):
    """What a socket must know of its server."""

    def path(self, seat: Seat) -> str:
        """Where the socket is opened."""

    def greet(self, seat: Seat, payload: bytes) -> tuple[bytes | None, bool]:
        """What to answer to a frame while joining, and whether the seat is taken now."""

    def ready_at_once(self) -> bool:
        """Whether the seat is taken as soon as the handshake is done."""

    def say(self, seat: Seat, text: str) -> bytes:
        """The payload that says `text` in the room."""


def _whole(text: str, size: int) -> dict[str, object]:
    """The object that our server would deliver, made by the client, for servers that add nothing."""
    said: dict[str, object] = {
        "type": "message", "id": 100001, "room_id": 1, "seq": 100001, "sender": "alice", "sender_id": 3,
        "message": text, "timestamp": "2024-01-01T12:00:00", "created_at": "2024-01-01T12:00:00.123Z",
    }  # fmt: skip
    missing = size - len(orjson.dumps(said)) - len(',"client_id":""')
    return said | {"client_id": "x" * max(0, missing)}


class Plain:
    """Servers that repeat what they are told to everyone at the same path."""

    def path(self, seat: Seat) -> str:
        return f"/ws/{seat.room}"

    def greet(self, seat: Seat, payload: bytes) -> tuple[bytes | None, bool]:
        return None, True

    def ready_at_once(self) -> bool:
        return True

    def say(self, seat: Seat, text: str) -> bytes:
        return orjson.dumps(_whole(text, SIZE))


class Ours:
    """The server of this repository: one room per socket, ready after the `ready` event."""

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
        return b"42" + orjson.dumps(["message", seat.room, _whole(text, SIZE - len('42["message",]'))])


DIALECTS: dict[str, Dialect] = {"plain": Plain(), "ours": Ours(), "socketio": SocketIO()}
