"""What the clients of a run share: the server, what is known, and when to stop."""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.reliability.history import History, Operation
from tests.reliability.replica import Event
from tests.support import frames
from tests.support.server import ChatServer


@dataclass(slots=True, eq=False)
class Account:
    name: str
    token: str


@dataclass(slots=True, eq=False)
class World:
    server: ChatServer
    rooms: list[int]
    history: History = field(default_factory=History)
    stopping: bool = False
    heads: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """The highest number of each room that anyone was told of."""
    own: defaultdict[tuple[str, int], dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    """For each user and room the messages known to be theirs: id and text."""
    waiting: set[Operation] = field(default_factory=set)
    """Operations without an answer at this moment."""
    _told: set[tuple[int, int]] = field(default_factory=set)

    def began(self, operation: Operation) -> Operation:
        self.history.operations.append(operation)
        self.waiting.add(operation)
        return operation

    def answered(self, operation: Operation) -> None:
        """An answer came, or never will."""
        self.waiting.discard(operation)
        room = operation.room
        self.heads[room] = max(self.heads[room], operation.seq)
        if operation.outcome == "refused":
            self._judge(operation)
        elif operation.kind == "message" and operation.outcome == "done":
            self.own[operation.user, room].setdefault(operation.id, operation.text)
            self.count("duplicate" if operation.duplicate else "stored")
        elif operation.kind == "delete" and operation.outcome == "done":
            self.own[operation.user, room].pop(operation.target or 0, None)

    def told(self, room: int, event: Event) -> None:
        """A live event was heard; the first time it is kept."""
        self.heads[room] = max(self.heads[room], event["seq"])
        if event["type"] == "message" and (room, event["seq"]) not in self._told:
            self._told.add((room, event["seq"]))
            self.history.messages.setdefault(room, []).append(event)

    def checks(self, event: Event) -> None:
        """Hold a frame, each and every one, against the AsyncAPI document."""
        try:
            frames.check(event)
        except frames.WrongFrame as wrong:
            self.complain(str(wrong))

    def complain(self, text: str) -> None:
        self.history.complaints.append(text)

    def count(self, name: str) -> None:
        self.history.counts[name] += 1

    def _judge(self, operation: Operation) -> None:
        """Clients change their own messages only, so the one good reason to refuse is that one is gone."""
        if operation.code != "message_gone":
            self.complain(f"refused with {operation.code}: {operation}")
