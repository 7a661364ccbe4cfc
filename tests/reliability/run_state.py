"""The state that the clients of a run share: the server, the history, known positions, and when to stop."""

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
class RunState:
    server: ChatServer
    rooms: list[int]
    history: History = field(default_factory=History)
    database_fails: bool = False
    """Whether answers may say that the database does not answer."""
    stopping: bool = False
    heads: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """The highest number of each room that any client was told of."""
    own: defaultdict[tuple[str, int], dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    """For each user and room the user's own messages: id and text."""
    waiting: set[Operation] = field(default_factory=set)
    """Operations without an answer yet."""
    _heard: set[tuple[int, int]] = field(default_factory=set)

    def started(self, operation: Operation) -> Operation:
        self.history.operations.append(operation)
        self.waiting.add(operation)
        return operation

    def answered(self, operation: Operation) -> None:
        """An answer arrived, or is no longer expected."""
        self.waiting.discard(operation)
        room = operation.room
        self.heads[room] = max(self.heads[room], operation.seq)
        if operation.outcome == "refused":
            self._check_refusal(operation)
        elif operation.kind == "message" and operation.outcome == "done":
            self.own[operation.user, room].setdefault(operation.id, operation.text)
            self.count("duplicate" if operation.duplicate else "stored")
        elif operation.kind == "delete" and operation.outcome == "done":
            self.own[operation.user, room].pop(operation.target or 0, None)

    def heard(self, room: int, event: Event) -> None:
        """Record a live event, unless another client has heard it before."""
        self.heads[room] = max(self.heads[room], event["seq"])
        if event["type"] == "message" and (room, event["seq"]) not in self._heard:
            self._heard.add((room, event["seq"]))
            self.history.messages.setdefault(room, []).append(event)

    def check(self, event: Event) -> None:
        """Validate a frame against the AsyncAPI document."""
        try:
            frames.check(event)
        except frames.WrongFrame as wrong:
            self.complain(str(wrong))

    def complain(self, text: str) -> None:
        self.history.complaints.append(text)

    def count(self, name: str) -> None:
        self.history.counts[name] += 1

    def _check_refusal(self, operation: Operation) -> None:
        """Clients change their own messages only, so a command may only be refused because its message is deleted, or
        because the database fails."""
        if operation.code == "database_unavailable" and self.database_fails:
            self.count("unavailable")
        elif operation.code != "message_gone":
            self.complain(f"refused with {operation.code}: {operation}")
