"""Whatever two people do in whatever order, the server agrees with a small model of a room, and nobody is cut off."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.properties.strategies import client_ids, emojis, malformed, numbers, people, texts, ways
from tests.properties.table import Clients, Table, as_modelled
from tests.support import frames
from tests.support.people import PATIENCE
from tests.support.server import ChatServer


class Conversation(Table):
    """What they can do: Alice and Bob both talk, change, listen and come back; now and then they make no sense."""

    # Changing

    @rule(who=people, text=texts, client_id=client_ids, reply_to=st.none() | numbers, way=ways)
    def say(self, who: str, text: str, client_id: str | None, reply_to: int | None, way: str) -> None:
        draft = {"content": text, "client_id": client_id, "reply_to": reply_to}
        answer = self.does(who, way, {"type": "message", **draft}, "POST", "")
        said = self.agree(answer, lambda: self.room.say(who, text, client_id, reply_to))
        if said is not None:
            message, duplicate = said
            assert (answer["id"], answer["seq"]) == (message.id, message.seq)
            assert answer.get("duplicate", False) == duplicate

    @rule(who=people, number=numbers, text=texts, way=ways)
    def edit(self, who: str, number: int, text: str, way: str) -> None:
        command = {"type": "message.edit", "id": number, "content": text}
        answer = self.does(who, way, command, "PATCH", f"/{number}")
        seq = self.agree(answer, lambda: self.room.edit(who, number, text))
        assert seq in (None, answer.get("changed_seq") if way == "rest" else answer.get("seq"))

    @rule(who=people, number=numbers, way=ways)
    def delete(self, who: str, number: int, way: str) -> None:
        answer = self.does(who, way, {"type": "message.delete", "id": number}, "DELETE", f"/{number}")
        seq = self.agree(answer, lambda: self.room.delete(who, number))
        assert way == "rest" or seq in (None, answer.get("seq"))

    @rule(who=people, number=numbers, emoji=emojis, binary=st.booleans(), back=st.booleans())
    def react(self, who: str, number: int, emoji: str, binary: bool, back: bool) -> None:
        kind = "reaction.remove" if back else "reaction.add"
        answer = self.asks(who, {"type": kind, "id": number, "emoji": emoji}, binary=binary)
        change = self.room.take_back if back else self.room.react
        seq = self.agree(answer, lambda: change(who, number, emoji))
        assert seq in (None, answer.get("seq"))

    @rule(who=people, number=numbers)
    def read(self, who: str, number: int) -> None:
        answer = self.asks(who, {"type": "read", "id": number})
        before = self.room.marks.get(who)
        entered = len(self.room.said) if before is None else before
        mark = self.agree(answer, lambda: self.room.read(who, number))
        assert answer["type"] == "ack", answer
        assert answer.get("id", 0) == mark
        if mark != entered:
            self.tell_ephemeral(("read", who, mark))

    # Subscriber

    @rule(who=people, since=st.none() | st.integers(0, 30))
    def subscribe(self, who: str, since: int | None) -> None:
        answer = self.asks(who, {"type": "subscribe", "since": since})
        self.agree(answer, lambda: self.room.enter(who))
        self.comes_back(who, since, answer)

    @rule(who=people)
    def unsubscribe(self, who: str) -> None:
        answer = self.asks(who, {"type": "unsubscribe"})
        if who in self.listeners:
            assert answer["type"] == "ack"
        else:
            assert answer["code"] == "not_subscribed"
        self.listeners.discard(who)

    @rule(since=st.integers(0, 30))
    def alice_comes_back(self, since: int) -> None:
        self.ears["alice"].close()
        ear = self.ears["alice"] = self.open("alice", f"/ws/chat/{self.number}?since={since}&")
        assert (ear.ready["seq"], ear.ready["last_read_id"]) == (self.room.head, self.room.marks["alice"])
        self.comes_back("alice", since, ear.next_of("synced"))

    @rule()
    def bob_comes_back(self) -> None:
        self.ears["bob"].close()
        self.ears["bob"] = self.open("bob", "/ws?")
        self.listeners.discard("bob")

    # Everything else

    @rule(who=people)
    def begin_typing(self, who: str) -> None:
        if who not in self.listeners:
            assert self.asks(who, {"type": "typing"})["code"] == "not_subscribed"
            return
        self.ears[who].say({"type": "typing", "room_id": self.number})
        self.ears[who].settle()
        # Told again only after two seconds, and nobody here looks at the clock.
        due = self.perhaps if who in self.typists else self.due_ephemeral
        self.typists.add(who)
        for other in self.listeners - {who}:
            due[other].append(("typing", who))

    @rule(who=people, frame=malformed)
    def babble(self, who: str, frame: str | bytes) -> None:
        self.ears[who].send(frame)
        assert self.ears[who].next_of("error")["code"] in {"invalid_json", "invalid_command"}

    @rule(who=people)
    def look(self, who: str) -> None:
        history = self.clients[who].get(f"/api/messages/{self.number}").json()
        assert [as_modelled(frames.check_message(message)) for message in history] == self.room.said
        room = self.clients[who].get(f"/api/rooms/{self.number}").json()
        mark = self.room.marks.get(who)
        assert (room["last_message_id"], room["last_seq"]) == (len(self.room.said), self.room.head)
        assert room["last_read_id"] == mark
        assert room["unread_count"] == (0 if mark is None else len(self.room.said) - mark)


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
