"""A simple model of a room, with which the server must agree. Pure."""

import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple

from app.core.text import shows_something


class Refused(Exception):
    """The server must refuse this with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DurableEvent(NamedTuple):
    """The predictable part of a durable event."""

    seq: int
    type: str
    id: int | None


@dataclass(slots=True)
class ModelMessage:
    id: int
    seq: int
    sender: str
    text: str
    client_id: str | None
    reply_to: int | None
    changed: int
    is_edited: bool = False
    is_deleted: bool = False
    reactions: dict[str, set[str]] = field(default_factory=dict)


@dataclass(slots=True)
class RoomModel:
    owner: str
    messages: list[ModelMessage] = field(default_factory=list)
    receipts: dict[str, int] = field(default_factory=dict)
    """The read receipt of each member."""
    joined: dict[str, int] = field(default_factory=dict)
    """The seq with which each member joined."""
    events: list[DurableEvent] = field(default_factory=list)
    """The durable events, as a listener who was always connected received them."""

    @property
    def head(self) -> int:
        return len(self.events)

    def enter(self, who: str) -> None:
        if who not in self.joined:
            self.receipts[who] = len(self.messages)
            self.joined[who] = self._append("member.joined", None)

    def say(
        self, who: str, text: str, client_id: str | None, reply_to: int | None
    ) -> tuple[ModelMessage, bool]:
        """Return the message, and whether it existed before. Raises Refused."""
        if not shows_something(text):
            raise Refused("invalid")
        for known in self.messages:
            if client_id is not None and (known.sender, known.client_id) == (who, client_id):
                return known, True
        if reply_to is not None and reply_to > len(self.messages):
            raise Refused("reply_to_nothing")
        self.enter(who)
        seq = self._append("message", len(self.messages) + 1)
        text = unicodedata.normalize("NFC", text)
        self.messages.append(ModelMessage(len(self.messages) + 1, seq, who, text, client_id, reply_to, seq))
        self.receipts[who] = len(self.messages)
        return self.messages[-1], False

    def edit(self, who: str, number: int, text: str) -> int:
        if not shows_something(text):
            raise Refused("invalid")
        message = self._live_message(who, number)
        if message.sender != who:
            raise Refused("not_your_message")
        text = unicodedata.normalize("NFC", text)
        if text == message.text:
            return message.changed
        message.text, message.is_edited = text, True
        return self._touch(message, "message.updated")

    def delete(self, who: str, number: int) -> int:
        message = self._live_message(who, number)
        if who not in (message.sender, self.owner):
            raise Refused("not_your_message")
        message.text, message.is_deleted, message.is_edited, message.reactions = "", True, False, {}
        return self._touch(message, "message.deleted")

    def react(self, who: str, number: int, emoji: str) -> int:
        message = self._live_message(who, number)
        users = message.reactions.setdefault(emoji, set())
        if who in users:
            return message.changed
        self.enter(who)
        users.add(who)
        return self._touch(message, "reaction")

    def remove_reaction(self, who: str, number: int, emoji: str) -> int:
        message = self._live_message(who, number)
        if who not in message.reactions.get(emoji, ()):
            return message.changed
        message.reactions[emoji].discard(who)
        if not message.reactions[emoji]:
            del message.reactions[emoji]
        return self._touch(message, "reaction")

    def read(self, who: str, number: int) -> int:
        """Return the receipt."""
        self.enter(who)
        self.receipts[who] = max(self.receipts[who], min(number, len(self.messages)))
        return self.receipts[who]

    def unread(self, who: str) -> int:
        """How many messages above their receipt a member can still read."""
        return sum(not message.is_deleted for message in self.messages[self.receipts[who] :])

    def missed(self, since: int) -> list[DurableEvent]:
        """The events of a catch-up after `since`: the current state of each message, not its history."""
        events = [DurableEvent(seq, "member.joined", None) for seq in self.joined.values()]
        for message in self.messages:
            if not message.is_deleted:
                events.append(DurableEvent(message.seq, "message", message.id))
            if message.changed != message.seq:
                kind = "message.deleted" if message.is_deleted else "message.updated"
                events.append(DurableEvent(message.changed, kind, message.id))
        return sorted(event for event in events if event.seq > since)

    def _live_message(self, who: str, number: int) -> ModelMessage:
        if number > len(self.messages):
            raise Refused("message_not_found")
        if self.messages[number - 1].is_deleted:
            raise Refused("message_gone")
        return self.messages[number - 1]

    def _touch(self, message: ModelMessage, kind: str) -> int:
        message.changed = self._append(kind, message.id)
        return message.changed

    def _append(self, kind: str, number: int | None) -> int:
        self.events.append(DurableEvent(self.head + 1, kind, number))
        return self.head
