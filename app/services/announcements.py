"""Announcements: what a transaction publishes in this process once it is on disk.

A service announces; the database publishes after the commit and drops what a rollback undid.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.core.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class DurableEvents:
    """Durable events of one room with consecutive numbers, encoded once for all listeners."""

    room_id: int
    first_seq: int
    bodies: list[bytes]
    epoch: str
    """The epoch in which they were numbered."""


@dataclass(frozen=True, slots=True)
class EphemeralEvents:
    """Ephemeral events for the current listeners of a room, except those of one user."""

    room_id: int
    bodies: list[bytes]
    not_to: int
    """The id of that user; 0 excludes none."""


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """Logins that are no longer valid, wherever they are in use."""

    session_ids: list[str]


@dataclass(frozen=True, slots=True)
class EpochBegan:
    """The numbers of before are of another history: nothing that was read or sent with them counts any more."""

    epoch: str


Announcement = DurableEvents | EphemeralEvents | SessionsEnded | EpochBegan
A = TypeVar("A")
Handlers = list[Callable[[A], None]]


def announce(db: UnitOfWork, what: Announcement) -> None:
    """Publish `what` once this transaction is on disk. A rollback drops it."""
    db.announcements.append(what)
