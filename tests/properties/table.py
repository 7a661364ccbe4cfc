"""Two people, their sockets, and the model that they are held against: what the rules of a conversation need."""

import itertools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import httpx
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from tests.properties.ear import Ear
from tests.properties.model import Refused, Room, Said, Told
from tests.reliability.replica import version
from tests.support.people import Frame
from tests.support.server import ChatServer

_rooms = itertools.count(1)
Clients = dict[str, httpx.Client]


class Table(RuleBasedStateMachine):
    """Alice, the owner, sits in `/ws/chat/{room}`; Bob is connected to `/ws`."""

    def __init__(self, server: ChatServer, clients: Clients) -> None:
        super().__init__()
        self.server = server
        self.clients = clients
        self.ears: dict[str, Ear] = {}
        self.listeners: set[str] = set()
        self.due: defaultdict[str, list[Told]] = defaultdict(list)
        """What those who listen have yet to hear."""
        self.due_ephemeral: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self.perhaps: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        """What they may hear besides."""
        self.typists: set[str] = set()

    @initialize()
    def meet(self) -> None:
        draft = {"name": f"Room {next(_rooms)}"}
        self.number: int = self.clients["alice"].post("/api/rooms", json=draft).json()["id"]
        self.room = Room("alice")
        self.room.enter("alice")
        self.ears["alice"] = self.open("alice", f"/ws/chat/{self.number}?")
        self.ears["bob"] = self.open("bob", "/ws?")
        assert self.ears["alice"].ready["seq"] == self.room.head
        self.listeners = {"alice"}

    @invariant()
    def all_have_heard_what_was_due_and_are_still_there(self) -> None:
        for who, ear in self.ears.items():
            durable, ephemeral = ear.heard()
            assert durable == self.due.pop(who, []), f"{who} heard something else"
            due = self.due_ephemeral.pop(who, [])
            assert ephemeral in (due, due + self.perhaps.pop(who, []))

    def teardown(self) -> None:
        for ear in self.ears.values():
            ear.close()

    # How

    def open(self, who: str, path: str) -> Ear:
        token = self.clients[who].headers["Authorization"].removeprefix("Bearer ")
        return Ear(f"{self.server.ws}{path}token={token}")

    def asks(self, who: str, command: Frame, *, binary: bool = False) -> Frame:
        room = {} if who == "alice" else {"room_id": self.number}
        return self.ears[who].ask({**command, **room}, binary=binary)

    def does(self, who: str, way: str, command: Frame, method: str, path: str) -> Frame:
        """Over the socket or over REST; the answer, or the problem."""
        if way != "rest":
            return self.asks(who, command, binary=way == "binary")
        body = {key: value for key, value in command.items() if key not in ("type", "id")}
        answer = self.clients[who].request(
            method, f"/api/messages/{self.number}{path}", json=body if method != "DELETE" else None
        )
        found: Frame = answer.json() if answer.content else {}
        return found

    def agree(self, answer: Frame, change: Callable[[], Any]) -> Any:
        """Do the same in the model. What it refuses, the server has refused; None then."""
        before = self.room.head
        result = None
        try:
            result = change()
        except Refused as refused:
            codes = {"invalid_command", "validation_failed"} if refused.code == "invalid" else {refused.code}
            assert answer.get("code") in codes, answer
        else:
            assert "code" not in answer, answer
        for listener in self.listeners:
            self.due[listener] += self.room.told[before:]
        return result

    def comes_back(self, who: str, since: int | None, synced: Frame) -> None:
        head = self.room.head
        assert synced["type"] == "synced"
        assert synced["seq"] == head
        assert synced["truncated"] == (since is not None and since > head)
        assert synced["last_read_id"] == self.room.marks[who]
        self.listeners.add(who)
        self.due[who] = [] if since is None else self.room.missed(since)

    def tell_ephemeral(self, event: tuple[Any, ...]) -> None:
        for listener in self.listeners:
            self.due_ephemeral[listener].append(event)


def as_modelled(message: Frame) -> Said:
    """A message object as the model has it."""
    return Said(
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
