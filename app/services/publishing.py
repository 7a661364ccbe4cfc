"""The subscribers of announcements: what happens in this process after a commit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import assert_never

from app.services.announcements import (
    Announcement,
    DurableEvents,
    EphemeralEvents,
    SessionsEnded,
    Subscribers,
)


@dataclass(frozen=True, slots=True)
class Publisher:
    """A table of subscribers for each kind of announcement. A broker, push or webhooks subscribe with one line.

    Subscribers are called in the event loop, in the order they subscribed; they must neither wait nor raise.
    """

    durable: Subscribers[DurableEvents] = field(default_factory=list)
    ephemeral: Subscribers[EphemeralEvents] = field(default_factory=list)
    sessions_ended: Subscribers[SessionsEnded] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """Called once after all announcements of a commit."""

    def publish(self, announced: Iterable[Announcement]) -> None:
        """Pass on what a transaction announced. Only the database calls this, after the commit."""
        for what in announced:
            match what:
                case DurableEvents():
                    for durable in self.durable:
                        durable(what)
                case EphemeralEvents():
                    for ephemeral in self.ephemeral:
                        ephemeral(what)
                case SessionsEnded():
                    for ended in self.sessions_ended:
                        ended(what)
                case _:
                    assert_never(what)
        for then in self.afterwards:
            then()
