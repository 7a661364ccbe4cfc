"""What was observed in a run: every command and what became of it, every stream of events, every kill. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tests.reliability.replica import Event, Replica

Kind = Literal["message", "edit", "delete", "add", "remove", "read"]
Outcome = Literal["unknown", "done", "refused"]


@dataclass(slots=True, eq=False)
class Operation:
    """One attempt of one client to change something. Until an answer comes, its outcome is unknown."""

    client: str
    user: str
    room: int
    kind: Kind
    text: str = ""
    """What a message says: always unique, and an edit begins with what it changes. For reactions the emoji."""
    client_id: str | None = None
    target: int | None = None
    """The message that is changed or read."""
    outcome: Outcome = "unknown"
    id: int = 0
    seq: int = 0
    duplicate: bool = False
    code: str = ""
    """Why it was refused."""

    def done(self, id: int, seq: int = 0, duplicate: bool = False) -> None:  # noqa: A002 - the protocol's word
        self.outcome, self.id, self.seq, self.duplicate = "done", id, seq, duplicate

    def refused(self, code: str) -> None:
        self.outcome, self.code = "refused", code


class Seen(NamedTuple):
    """A durable event as a client received it. `digest` tells its bytes from others."""

    seq: int
    type: str
    id: int | None
    digest: int


@dataclass(slots=True, eq=False)
class Stream:
    """One subscription to one room: what was caught up with, then what was live."""

    client: str
    room: int
    since: int
    known: int
    """The highest number that anyone had been told of when it began."""
    missed: list[Seen] = field(default_factory=list)
    synced: int | None = None
    truncated: bool = False
    live: list[Seen] = field(default_factory=list)


class Copy(NamedTuple):
    """Where a client's replica of a room stands when everything is over."""

    client: str
    room: int
    replica: Replica


@dataclass(slots=True)
class Truth:
    """A room as REST shows it when everything is over."""

    room: Event
    replica: Replica
    """Made from the pages of the history; its members from the changes since the beginning."""
    marks: dict[str, int]
    """What each user has read."""
    unread: dict[str, int]


@dataclass(slots=True)
class History:
    """Everything that the verdict is about."""

    operations: list[Operation] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    messages: dict[int, list[Event]] = field(default_factory=dict)
    """Every `message` event that came live, by room, as the first client saw it."""
    complaints: list[str] = field(default_factory=list)
    """What was wrong at first sight: a number on a typing event, an answer that did not come, an internal error."""
    counts: Counter[str] = field(default_factory=Counter)
    """What happened, so that a run in which nothing happened can be told from one that proves something."""
    kills: list[int] = field(default_factory=list)
    """For each kill, how many operations were without an answer."""
    copies: list[Copy] = field(default_factory=list)
    truths: dict[int, Truth] = field(default_factory=dict)
