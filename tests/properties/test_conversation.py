"""Whatever two people do in whatever order, the server agrees with a small model of a room, and nobody is cut off."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.properties.ear import Ear
from tests.properties.model import Refused, Room, Said, Told
from tests.properties.strategies import client_ids, emojis, malformed, numbers, people, texts, ways
from tests.reliability.replica import version
from tests.support import frames
from tests.support.people import PATIENCE, Frame
from tests.support.server import ChatServer

_rooms = itertools.count(1)
Clients = dict[str, httpx.Client]


class Conversation(RuleBasedStateMachine):
    """Alice, the owner, sits in `/ws/chat/{room}`; Bob is connected to `/ws` and comes and goes."""

    def __init__(self, server: ChatServer, clients: Clients) -> None:
        super().__init__()
        self._server = server
        self._clients = clients
        self._ears: dict[str, Ear] = {}
        self._listeners: set[str] = set()
        self._due: defaultdict[str, list[Told]] = defaultdict(list)
        """What those who listen have yet to hear."""
        self._due_ephemeral: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)

    @initialize()
    def meet(self) -> None:
        draft = {"name": f"Room {next(_rooms)}"}
        self._number: int = self._clients["alice"].post("/api/rooms", json=draft).json()["id"]
        self._room = Room("alice")
        self._room.enter("alice")
        self._ears["alice"] = self._open("alice", f"/ws/chat/{self._number}?")
        self._ears["bob"] = self._open("bob", "/ws?")
        assert self._ears["alice"].ready["seq"] == self._room.head
        self._listeners = {"alice"}

    # Changing

    @rule(who=people, text=texts, client_id=client_ids, reply_to=st.none() | numbers, way=ways)
    def say(self, who: str, text: str, client_id: str | None, reply_to: int | None, way: str) -> None:
        draft = {"content": text, "client_id": client_id, "reply_to": reply_to}
        answer = self._does(who, way, {"type": "message", **draft}, "POST", "")
        said = self._agree(answer, lambda: self._room.say(who, text, client_id, reply_to))
        if said is not None:
            message, duplicate = said
            assert (answer["id"], answer["seq"]) == (message.id, message.seq)
            assert answer.get("duplicate", False) == duplicate

    @rule(who=people, number=numbers, text=texts, way=ways)
    def edit(self, who: str, number: int, text: str, way: str) -> None:
        command = {"type": "message.edit", "id": number, "content": text}
        answer = self._does(who, way, command, "PATCH", f"/{number}")
        seq = self._agree(answer, lambda: self._room.edit(who, number, text))
        assert seq in (None, answer.get("changed_seq") if way == "rest" else answer.get("seq"))

    @rule(who=people, number=numbers, way=ways)
    def delete(self, who: str, number: int, way: str) -> None:
        answer = self._does(who, way, {"type": "message.delete", "id": number}, "DELETE", f"/{number}")
        seq = self._agree(answer, lambda: self._room.delete(who, number))
        assert way == "rest" or seq in (None, answer.get("seq"))

    @rule(who=people, number=numbers, emoji=emojis, binary=st.booleans(), back=st.booleans())
    def react(self, who: str, number: int, emoji: str, binary: bool, back: bool) -> None:
        kind = "reaction.remove" if back else "reaction.add"
        answer = self._asks(who, {"type": kind, "id": number, "emoji": emoji}, binary=binary)
        change = self._room.take_back if back else self._room.react
        seq = self._agree(answer, lambda: change(who, number, emoji))
        assert seq in (None, answer.get("seq"))

    @rule(who=people, number=numbers)
    def read(self, who: str, number: int) -> None:
        answer = self._asks(who, {"type": "read", "id": number})
        before = self._room.marks.get(who)
        entered = len(self._room.said) if before is None else before
        mark = self._agree(answer, lambda: self._room.read(who, number))
        assert answer["type"] == "ack", answer
        assert answer.get("id", 0) == mark
        if mark != entered:
            self._tell_ephemeral(("read", who, mark))

    # Listening

    @rule(who=people, since=st.none() | st.integers(0, 30))
    def subscribe(self, who: str, since: int | None) -> None:
        answer = self._asks(who, {"type": "subscribe", "since": since})
        self._agree(answer, lambda: self._room.enter(who))
        self._comes_back(who, since, answer)

    @rule(who=people)
    def unsubscribe(self, who: str) -> None:
        answer = self._asks(who, {"type": "unsubscribe"})
        if who in self._listeners:
            assert answer["type"] == "ack"
        else:
            assert answer["code"] == "not_subscribed"
        self._listeners.discard(who)

    @rule(since=st.integers(0, 30))
    def alice_comes_back(self, since: int) -> None:
        self._ears["alice"].close()
        ear = self._ears["alice"] = self._open("alice", f"/ws/chat/{self._number}?since={since}&")
        assert (ear.ready["seq"], ear.ready["last_read_id"]) == (self._room.head, self._room.marks["alice"])
        self._comes_back("alice", since, ear.next_of("synced"))

    @rule()
    def bob_comes_back(self) -> None:
        self._ears["bob"].close()
        self._ears["bob"] = self._open("bob", "/ws?")
        self._listeners.discard("bob")

    # Everything else

    @rule(who=people)
    def begin_typing(self, who: str) -> None:
        if who not in self._listeners:
            assert self._asks(who, {"type": "typing"})["code"] == "not_subscribed"
            return
        self._ears[who].say({"type": "typing", "room_id": self._number})
        self._ears[who].settle()
        for other in self._listeners - {who}:
            self._due_ephemeral[other].append(("typing", who))

    @rule(who=people, frame=malformed)
    def babble(self, who: str, frame: str | bytes) -> None:
        self._ears[who].send(frame)
        assert self._ears[who].next_of("error")["code"] in {"invalid_json", "invalid_command"}

    @rule(who=people)
    def look(self, who: str) -> None:
        history = self._clients[who].get(f"/api/messages/{self._number}").json()
        assert [as_modelled(frames.check_message(message)) for message in history] == self._room.said
        room = self._clients[who].get(f"/api/rooms/{self._number}").json()
        mark = self._room.marks.get(who)
        assert (room["last_message_id"], room["last_seq"]) == (len(self._room.said), self._room.head)
        assert room["last_read_id"] == mark
        assert room["unread_count"] == (0 if mark is None else len(self._room.said) - mark)

    @invariant()
    def all_have_heard_what_was_due_and_are_still_there(self) -> None:
        for who, ear in self._ears.items():
            durable, ephemeral = ear.heard()
            assert durable == self._due.pop(who, []), f"{who} heard something else"
            assert ephemeral == self._due_ephemeral.pop(who, [])

    def teardown(self) -> None:
        for ear in self._ears.values():
            ear.close()

    # How

    def _open(self, who: str, path: str) -> Ear:
        token = self._clients[who].headers["Authorization"].removeprefix("Bearer ")
        return Ear(f"{self._server.ws}{path}token={token}")

    def _asks(self, who: str, command: Frame, *, binary: bool = False) -> Frame:
        room = {} if who == "alice" else {"room_id": self._number}
        return self._ears[who].ask({**command, **room}, binary=binary)

    def _does(self, who: str, way: str, command: Frame, method: str, path: str) -> Frame:
        """Over the socket or over REST; the answer, or the problem."""
        if way != "rest":
            return self._asks(who, command, binary=way == "binary")
        body = {key: value for key, value in command.items() if key not in ("type", "id")}
        answer = self._clients[who].request(
            method, f"/api/messages/{self._number}{path}", json=body if method != "DELETE" else None
        )
        found: Frame = answer.json() if answer.content else {}
        return found

    def _agree(self, answer: Frame, change: Callable[[], Any]) -> Any:
        """Do the same in the model. What it refuses, the server has refused; None then."""
        before = self._room.head
        result = None
        try:
            result = change()
        except Refused as refused:
            codes = {"invalid_command", "validation_failed"} if refused.code == "invalid" else {refused.code}
            assert answer.get("code") in codes, answer
        else:
            assert "code" not in answer, answer
        for listener in self._listeners:
            self._due[listener] += self._room.told[before:]
        return result

    def _comes_back(self, who: str, since: int | None, synced: Frame) -> None:
        head = self._room.head
        assert synced["type"] == "synced"
        assert synced["seq"] == head
        assert synced["truncated"] == (since is not None and since > head)
        assert synced["last_read_id"] == self._room.marks[who]
        self._listeners.add(who)
        self._due[who] = [] if since is None else self._room.missed(since)

    def _tell_ephemeral(self, event: tuple[Any, ...]) -> None:
        for listener in self._listeners:
            self._due_ephemeral[listener].append(event)


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


@pytest.fixture(scope="module")
def clients(server: ChatServer) -> Iterator[Clients]:
    """Alice and Bob, signed in, on a server of their own names."""
    with ExitStack() as stack:
        found = {}
        for name in ("alice", "bob"):
            given = {"username": name, "password": "correct horse"}
            http = stack.enter_context(httpx.Client(base_url=server.url, timeout=PATIENCE))
            http.post("/api/auth/signup", json=given).raise_for_status()
            grant = http.post("/api/auth/login", json=given).raise_for_status().json()
            http.headers["Authorization"] = f"Bearer {grant['access_token']}"
            found[name] = http
        yield found


def test_the_server_agrees_with_the_model(server: ChatServer, clients: Clients) -> None:
    class OnThisServer(Conversation):
        def __init__(self) -> None:
            super().__init__(server, clients)

    run_state_machine_as_test(
        OnThisServer,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
