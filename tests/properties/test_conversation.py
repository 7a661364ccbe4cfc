"""For any sequence of actions of two users, the server agrees with a simple model and keeps both connected."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.properties.conversation_machine import Clients, ConversationMachine, as_model_message
from tests.properties.strategies import client_ids, emojis, malformed, numbers, texts, transports, users
from tests.support import frames
from tests.support.people import PATIENCE
from tests.support.server import ChatServer


class Conversation(ConversationMachine):
    """The rules: Alice and Bob send, change, subscribe and reconnect, and sometimes send malformed frames."""

    # Changes

    @rule(who=users, text=texts, client_id=client_ids, reply_to=st.none() | numbers, transport=transports)
    def say(self, who: str, text: str, client_id: str | None, reply_to: int | None, transport: str) -> None:
        draft = {"content": text, "client_id": client_id, "reply_to": reply_to}
        answer = self.perform(who, transport, {"type": "message", **draft}, "POST", "")
        said = self.apply_to_model(answer, lambda: self.room.say(who, text, client_id, reply_to))
        if said is not None:
            message, duplicate = said
            assert (answer["id"], answer["seq"]) == (message.id, message.seq)
            assert answer.get("duplicate", False) == duplicate

    @rule(who=users, number=numbers, text=texts, transport=transports)
    def edit(self, who: str, number: int, text: str, transport: str) -> None:
        command = {"type": "message.edit", "id": number, "content": text}
        answer = self.perform(who, transport, command, "PATCH", f"/{number}")
        seq = self.apply_to_model(answer, lambda: self.room.edit(who, number, text))
        assert seq in (None, answer.get("changed_seq", answer.get("seq")))

    @rule(who=users, number=numbers, transport=transports)
    def delete(self, who: str, number: int, transport: str) -> None:
        answer = self.perform(
            who, transport, {"type": "message.delete", "id": number}, "DELETE", f"/{number}"
        )
        seq = self.apply_to_model(answer, lambda: self.room.delete(who, number))
        assert transport == "rest" or seq in (None, answer.get("seq"))

    @rule(who=users, number=numbers, emoji=emojis, binary=st.booleans(), remove=st.booleans())
    def react(self, who: str, number: int, emoji: str, binary: bool, remove: bool) -> None:
        kind = "reaction.remove" if remove else "reaction.add"
        answer = self.ask(who, {"type": kind, "id": number, "emoji": emoji}, binary=binary)
        change = self.room.remove_reaction if remove else self.room.react
        seq = self.apply_to_model(answer, lambda: change(who, number, emoji))
        assert seq in (None, answer.get("seq"))

    @rule(who=users, number=numbers)
    def read(self, who: str, number: int) -> None:
        answer = self.ask(who, {"type": "read", "id": number})
        before = self.room.receipts.get(who)
        before_reading = len(self.room.messages) if before is None else before
        receipt = self.apply_to_model(answer, lambda: self.room.read(who, number))
        assert answer["type"] == "ack", answer
        assert answer.get("id", 0) == receipt
        if receipt != before_reading:
            self.expect_ephemeral(("read", who, receipt))

    # Subscriptions

    @rule(who=users, since=st.none() | st.integers(0, 30))
    def subscribe(self, who: str, since: int | None) -> None:
        answer = self.ask(who, {"type": "subscribe", "since": since})
        self.apply_to_model(answer, lambda: self.room.enter(who))
        self.expect_catch_up(who, since, answer)

    @rule(who=users)
    def unsubscribe(self, who: str) -> None:
        answer = self.ask(who, {"type": "unsubscribe"})
        if who in self.subscribers:
            assert answer["type"] == "ack"
        else:
            assert answer["code"] == "not_subscribed"
        self.subscribers.discard(who)

    @rule(since=st.integers(0, 30))
    def alice_reconnects(self, since: int) -> None:
        self.sockets["alice"].close()
        socket = self.sockets["alice"] = self.open("alice", f"/ws/chat/{self.number}?since={since}&")
        assert (socket.ready["seq"], socket.ready["last_read_id"]) == (
            self.room.head,
            self.room.receipts["alice"],
        )
        self.expect_catch_up("alice", since, socket.next_of("synced"))

    @rule()
    def bob_reconnects(self) -> None:
        self.sockets["bob"].close()
        self.sockets["bob"] = self.open("bob", "/ws?")
        self.subscribers.discard("bob")

    # Other actions

    @rule(who=users)
    def begin_typing(self, who: str) -> None:
        if who not in self.subscribers:
            assert self.ask(who, {"type": "typing"})["code"] == "not_subscribed"
            return
        self.sockets[who].say({"type": "typing", "room_id": self.number})
        self.sockets[who].settle()
        # The server sends typing again only after two seconds, and the model has no clock.
        due = self.optional_ephemeral if who in self.typing else self.due_ephemeral
        self.typing.add(who)
        for other in self.subscribers - {who}:
            due[other].append(("typing", who))

    @rule(who=users, frame=malformed)
    def send_malformed(self, who: str, frame: str | bytes) -> None:
        self.sockets[who].send(frame)
        assert self.sockets[who].next_of("error")["code"] in {"invalid_json", "invalid_command"}

    @rule(who=users)
    def compare_with_rest(self, who: str) -> None:
        history = self.clients[who].get(f"/api/messages/{self.number}").json()
        assert [as_model_message(frames.check_message(message)) for message in history] == self.room.messages
        room = self.clients[who].get(f"/api/rooms/{self.number}").json()
        receipt = self.room.receipts.get(who)
        assert (room["last_message_id"], room["last_seq"]) == (len(self.room.messages), self.room.head)
        assert room["last_read_id"] == receipt
        assert room["unread_count"] == (0 if receipt is None else self.room.unread(who))
        live = [message.id for message in self.room.messages if not message.is_deleted]
        assert room.get("last_message", {"id": None})["id"] == (live[-1] if live else None)


@pytest.fixture(scope="module")
def clients(server: ChatServer) -> Iterator[Clients]:
    """HTTP clients of Alice and Bob, logged in."""
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
