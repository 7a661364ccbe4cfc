"""Examples of every frame, for documents. A test validates each against its model."""

from typing import Any

Frame = dict[str, Any]

COMMAND_EXAMPLES: list[Frame] = [
    {"type": "message", "content": "Hello, world!"},
    {"type": "message", "content": "Once, for ever", "client_id": "6f1c2a", "reply_to": 7, "ref": 1},
    {"type": "message.edit", "id": 7, "content": "Hello, everyone!", "ref": 2},
    {"type": "message.delete", "id": 7, "ref": 3},
    {"type": "reaction.add", "id": 7, "emoji": "👍", "ref": 4},
    {"type": "reaction.remove", "id": 7, "emoji": "👍", "ref": 5},
    {"type": "typing"},
    {"type": "read", "id": 7},
    {"type": "subscribe", "room_id": 1, "since": 12, "epoch": "k3f9Zq1TbW2c", "ref": 6},
    {"type": "unsubscribe", "room_id": 1, "ref": 7},
    {"type": "auth", "token": "eyJhbGciOiJIUzI1NiJ9…", "ref": 8},
    {"type": "ping", "ref": 9},
]

_ANN = {"id": 2, "username": "ann", "created_at": "2024-01-01T09:00:00.000Z"}
_MESSAGE = {
    "type": "message",
    "id": 7,
    "room_id": 1,
    "seq": 12,
    "sender": "ann",
    "sender_id": 2,
    "message": "Hello, world!",
    "timestamp": "2024-01-01T12:00:00",
    "created_at": "2024-01-01T12:00:00.123Z",
    "client_id": None,
}
_TOUCHED = {"changed_seq": 14, "edited_at": "2024-01-01T12:05:00.000Z"}
_LIKED = [{"emoji": "👍", "users": ["ben"], "count": 1}]

EVENT_EXAMPLES: list[Frame] = [
    {
        "type": "ready",
        "user": _ANN,
        "session_id": "p3Ykz0Vq1mVb2nW8c5Tt7A",
        "expires_at": "2024-01-02T12:00:00.000Z",
        "features": ["message", "message:client_id", "message:reply_to", "ping"],
        "room_id": 1,
        "seq": 12,
        "epoch": "k3f9Zq1TbW2c",
        "last_message_id": 7,
        "last_read_id": 6,
    },
    _MESSAGE,
    _MESSAGE | _TOUCHED | {"client_id": "6f1c2a", "reply_to": 3, "reactions": _LIKED},
    {
        "type": "message.updated",
        "room_id": 1,
        "id": 7,
        "seq": 13,
        "content": "Hello, everyone!",
        "edited_at": "2024-01-01T12:05:00.000Z",
        "reactions": [],
    },
    {
        "type": "message.deleted",
        "room_id": 1,
        "id": 7,
        "seq": 15,
        "deleted_at": "2024-01-01T12:10:00.000Z",
    },
    {
        "type": "reaction",
        "room_id": 1,
        "id": 7,
        "seq": 14,
        "emoji": "👍",
        "user": "ben",
        "action": "add",
        "count": 1,
    },
    {"type": "member.joined", "room_id": 1, "seq": 2, "user": "ben", "user_id": 3, "role": "member"},
    {"type": "typing", "room_id": 1, "user": "ben", "user_id": 3},
    {"type": "read", "room_id": 1, "user": "ben", "user_id": 3, "id": 7},
    {"type": "presence", "room_id": 1, "count": 2, "online": ["ben"], "offline": []},
    {
        "type": "synced",
        "room_id": 1,
        "seq": 15,
        "epoch": "k3f9Zq1TbW2c",
        "last_message_id": 7,
        "last_read_id": 6,
        "truncated": False,
        "ref": 6,
    },
    {
        "type": "ack",
        "ref": 1,
        "room_id": 1,
        "id": 8,
        "seq": 16,
        "client_id": "6f1c2a",
        "created_at": "2024-01-01T12:11:00.000Z",
        "duplicate": False,
    },
    {"type": "pong", "ref": 9},
    {
        "type": "error",
        "code": "not_your_message",
        "detail": "Only its author can edit a message; …",
        "ref": 2,
    },
    {"type": "goodbye", "reconnect_after_ms": 350},
]
