"""A room as a handful of lists: what the server has to agree with. Pure."""

import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple


class Refused(Exception):
    """The server has to refuse this, with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Told(NamedTuple):
    """A durable event, as far as it can be foreseen."""

    seq: int
    type: str
    id: int | None


@dataclass(slots=True)
class Said:
    id: int
    seq: int
    sender: str
    text: str
    client_id: str | None
    reply_to: int | None
    changed: int
    is_edited: bool = False
    is_gone: bool = False
    reactions: dict[str, set[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Room:
    owner: str
    said: list[Said] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    """How far each member has read."""
    joined: dict[str, int] = field(default_factory=dict)
    """The number with which each member came."""
    told: list[Told] = field(default_factory=list)
    """The durable events, as somebody heard them who was always there."""

    @property
    def head(self) -> int:
        return len(self.told)

    def enter(self, who: str) -> None:
        if who not in self.joined:
            self.marks[who] = len(self.said)
            self.joined[who] = self._tell("member.joined", None)

    def say(self, who: str, text: str, client_id: str | None, reply_to: int | None) -> tuple[Said, bool]:
        """The message, and whether it was there before. Raises Refused."""
        if text.isspace():
            raise Refused("invalid")
        for known in self.said:
            if client_id is not None and (known.sender, known.client_id) == (who, client_id):
                return known, True
        if reply_to is not None and reply_to > len(self.said):
            raise Refused("reply_to_nothing")
        self.enter(who)
        seq = self._tell("message", len(self.said) + 1)
        text = unicodedata.normalize("NFC", text)
        self.said.append(Said(len(self.said) + 1, seq, who, text, client_id, reply_to, seq))
        self.marks[who] = len(self.said)
        return self.said[-1], False

    def edit(self, who: str, number: int, text: str) -> int:
        if text.isspace():
            raise Refused("invalid")
        said = self._standing(who, number)
        if said.sender != who:
            raise Refused("not_your_message")
        said.text, said.is_edited = unicodedata.normalize("NFC", text), True
        return self._touch(said, "message.updated")

    def delete(self, who: str, number: int) -> int:
        said = self._standing(who, number)
        if who not in (said.sender, self.owner):
            raise Refused("not_your_message")
        said.text, said.is_gone, said.is_edited, said.reactions = "", True, False, {}
        return self._touch(said, "message.deleted")

    def react(self, who: str, number: int, emoji: str) -> int:
        said = self._standing(who, number)
        users = said.reactions.setdefault(emoji, set())
        if who in users:
            return said.changed
        self.enter(who)
        users.add(who)
        return self._touch(said, "reaction")

    def take_back(self, who: str, number: int, emoji: str) -> int:
        said = self._standing(who, number)
        if who not in said.reactions.get(emoji, ()):
            return said.changed
        said.reactions[emoji].discard(who)
        if not said.reactions[emoji]:
            del said.reactions[emoji]
        return self._touch(said, "reaction")

    def read(self, who: str, number: int) -> int:
        """The mark."""
        self.enter(who)
        self.marks[who] = max(self.marks[who], min(number, len(self.said)))
        return self.marks[who]

    def missed(self, since: int) -> list[Told]:
        """What somebody has to hear who was away since then: how things stand, not what happened."""
        events = [Told(seq, "member.joined", None) for seq in self.joined.values()]
        for said in self.said:
            if not said.is_gone:
                events.append(Told(said.seq, "message", said.id))
            if said.changed != said.seq:
                how = "message.deleted" if said.is_gone else "message.updated"
                events.append(Told(said.changed, how, said.id))
        return sorted(event for event in events if event.seq > since)

    def _standing(self, who: str, number: int) -> Said:
        if number > len(self.said):
            raise Refused("message_not_found")
        if self.said[number - 1].is_gone:
            raise Refused("message_gone")
        return self.said[number - 1]

    def _touch(self, said: Said, how: str) -> int:
        said.changed = self._tell(how, said.id)
        return said.changed

    def _tell(self, how: str, number: int | None) -> int:
        self.told.append(Told(self.head + 1, how, number))
        return self.head
