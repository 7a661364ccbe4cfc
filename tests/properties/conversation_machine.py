"""Two users, their sockets and the model of their room: what the rules of a conversation need."""

import itertools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import httpx
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from tests.properties.model import DurableEvent, ModelMessage, Refused, RoomModel
from tests.properties.recording_listener import RecordingListener
from tests.reliability.replica import version
from tests.support.people import Frame
from tests.support.server import ChatServer

_rooms = itertools.count(1)
Clients = dict[str, httpx.Client]


class ConversationMachine(RuleBasedStateMachine):
    """Alice, the owner of the room, is connected to `/ws/chat/{room}`, Bob to `/ws`."""

    def __init__(self, server: ChatServer, clients: Clients) -> None:
        super().__init__()
        self.server = server
        self.clients = clients
        self.sockets: dict[str, RecordingListener] = {}
        self.subscribers: set[str] = set()
        self.due: defaultdict[str, list[DurableEvent]] = defaultdict(list)
        """Durable events that each subscriber must still receive."""
        self.due_ephemeral: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self.optional_ephemeral: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        """Ephemeral events that each subscriber may receive in addition."""
        self.typing: set[str] = set()

    @initialize()
    def create_room_and_connect(self) -> None:
        draft = {"name": f"Room {next(_rooms)}"}
        self.number: int = self.clients["alice"].post("/api/rooms", json=draft).json()["id"]
        self.room = RoomModel("alice")
        self.room.enter("alice")
        self.sockets["alice"] = self.open("alice", f"/ws/chat/{self.number}?")
        self.sockets["bob"] = self.open("bob", "/ws?")
        assert self.sockets["alice"].ready["seq"] == self.room.head
        self.subscribers = {"alice"}

    @invariant()
    def every_subscriber_received_what_was_due_and_is_still_connected(self) -> None:
        for who, socket in self.sockets.items():
            durable, ephemeral = socket.take_events()
            assert durable == self.due.pop(who, []), f"{who} received something else"
            due = self.due_ephemeral.pop(who, [])
            assert ephemeral in (due, due + self.optional_ephemeral.pop(who, []))

    def teardown(self) -> None:
        for socket in self.sockets.values():
            socket.close()

    # Helpers of the rules

    def open(self, who: str, path: str) -> RecordingListener:
        token = self.clients[who].headers["Authorization"].removeprefix("Bearer ")
        return RecordingListener(f"{self.server.ws}{path}token={token}")

    def ask(self, who: str, command: Frame, *, binary: bool = False) -> Frame:
        room = {} if who == "alice" else {"room_id": self.number}
        return self.sockets[who].ask({**command, **room}, binary=binary)

    def perform(self, who: str, transport: str, command: Frame, method: str, path: str) -> Frame:
        """Send the command over the socket or over REST. Returns the answer or the problem."""
        if transport != "rest":
            return self.ask(who, command, binary=transport == "binary")
        body = {key: value for key, value in command.items() if key not in ("type", "id")}
        answer = self.clients[who].request(
            method, f"/api/messages/{self.number}{path}", json=body if method != "DELETE" else None
        )
        found: Frame = answer.json() if answer.content else {}
        return found

    def apply_to_model(self, answer: Frame, change: Callable[[], Any]) -> Any:
        """Apply the same change to the model and compare. Returns None if both refuse it."""
        before = self.room.head
        result = None
        try:
            result = change()
        except Refused as refused:
            codes = {"invalid_command", "validation_failed"} if refused.code == "invalid" else {refused.code}
            assert answer.get("code") in codes, answer
        else:
            assert "code" not in answer, answer
        for subscriber in self.subscribers:
            self.due[subscriber] += self.room.events[before:]
        return result

    def expect_catch_up(self, who: str, since: int | None, synced: Frame) -> None:
        head = self.room.head
        assert synced["type"] == "synced"
        assert synced["seq"] == head
        assert synced["truncated"] == (since is not None and since > head)
        assert synced["last_read_id"] == self.room.receipts[who]
        self.subscribers.add(who)
        self.due[who] = [] if since is None else self.room.missed(since)

    def expect_ephemeral(self, event: tuple[Any, ...]) -> None:
        for subscriber in self.subscribers:
            self.due_ephemeral[subscriber].append(event)


def as_model_message(message: Frame) -> ModelMessage:
    """Convert a message object to one of the model."""
    return ModelMessage(
        message["id"],
        message["seq"],
        message["sender"],
        message["message"],
        message["client_id"],
        message.get("reply_to"),
        version(message),
        "edited_at" in message,
        "deleted_at" in message,
        {reaction["emoji"]: set(reaction["users"]) for reaction in message.get("reactions", [])},
    )
