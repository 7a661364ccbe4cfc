"""What was observed in a run: every command and its outcome, every stream of events, every kill. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tests.reliability.replica import Event, Replica

Kind = Literal["message", "edit", "delete", "add", "remove", "read"]
Outcome = Literal["unknown", "done", "refused"]


@dataclass(slots=True, eq=False)
class Operation:
    """One attempt of one client to change something. Its outcome is unknown until an answer arrives."""

    client: str
    user: str
    room: int
    kind: Kind
    text: str = ""
    """The content of a message: always unique, and the text of an edit begins with the original. The emoji of a
    reaction."""
    client_id: str | None = None
    target: int | None = None
    """The id of the message that is changed or read."""
    outcome: Outcome = "unknown"
    id: int = 0
    seq: int = 0
    duplicate: bool = False
    code: str = ""
    """The error code, if it was refused."""

    def done(self, id: int, seq: int = 0, duplicate: bool = False) -> None:  # noqa: A002 - the protocol's word
        self.outcome, self.id, self.seq, self.duplicate = "done", id, seq, duplicate

    def refused(self, code: str) -> None:
        """`unknown` is an answer too, but leaves open what happened."""
        self.outcome, self.code = "unknown" if code == "unknown" else "refused", code


class Seen(NamedTuple):
    """A durable event as a client received it. `digest` is a hash of its bytes."""

    seq: int
    type: str
    id: int | None
    digest: int


@dataclass(slots=True, eq=False)
class Stream:
    """One subscription to one room: the events of its catch-up, then the live ones."""

    client: str
    room: int
    since: int
    known: int
    """The highest number that any client had been told of when it began."""
    missed: list[Seen] = field(default_factory=list)
    synced: int | None = None
    truncated: bool = False
    live: list[Seen] = field(default_factory=list)


class Copy(NamedTuple):
    """A client's replica of a room at the end of the run."""

    client: str
    room: int
    replica: Replica


@dataclass(slots=True)
class Truth:
    """A room as REST shows it at the end of the run."""

    room: Event
    replica: Replica
    """Made from the pages of the history; its members from all changes since number 0."""
    receipts: dict[str, int]
    """The last message id that each user has read."""
    unread: dict[str, int]


@dataclass(slots=True)
class History:
    """Everything that was observed in a run."""

    operations: list[Operation] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    messages: dict[int, list[Event]] = field(default_factory=dict)
    """Every live `message` event by room, as the first client received it."""
    complaints: list[str] = field(default_factory=list)
    """Errors that a client noticed at once: a missing answer, an invalid frame, an internal error."""
    counts: Counter[str] = field(default_factory=Counter)
    """How often each kind of event happened: a run without some of them proves nothing."""
    longest_answer: float = 0.0
    """Seconds from a command to its answer."""
    kills: list[int] = field(default_factory=list)
    """For each kill, how many operations had no answer yet."""
    copies: list[Copy] = field(default_factory=list)
    truths: dict[int, Truth] = field(default_factory=dict)
