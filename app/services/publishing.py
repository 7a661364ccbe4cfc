"""The subscribers of announcements, which are called in this process after a commit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import assert_never

from app.services.announcements import (
    Announcement,
    DurableEvents,
    EphemeralEvents,
    EpochBegan,
    Handlers,
    SessionsEnded,
)


@dataclass(frozen=True, slots=True)
class Publisher:
    """A table of subscribers for each kind of announcement. A broker, push or webhooks subscribe with one line.

    Handlers are called in the event loop, in the order they subscribed; they must neither wait nor raise.
    """

    durable: Handlers[DurableEvents]
    ephemeral: Handlers[EphemeralEvents]
    sessions_ended: Handlers[SessionsEnded]
    epoch_began: Handlers[EpochBegan]
    afterwards: list[Callable[[], None]]
    """Called once after all announcements of a commit."""

    def publish(self, announced: Iterable[Announcement]) -> None:
        """Pass on what a transaction announced. The database calls this after each commit."""
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
                case EpochBegan():
                    for began in self.epoch_began:
                        began(what)
                case _:
                    assert_never(what)
        for then in self.afterwards:
            then()
