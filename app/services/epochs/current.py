"""The epoch that this process is in."""

from collections.abc import Callable

from app.core.logs import log
from app.services.announcements import EpochBegan


class CurrentEpoch:
    """Follows the epoch that commits and reads name. Whatever carries another one is of another history."""

    def __init__(self) -> None:
        self.name = ""
        """Empty until the database was read for the first time."""
        self._past: set[str] = set()
        self._publish: Callable[[list[EpochBegan]], None] = lambda _: None

    def on_change(self, publish: Callable[[list[EpochBegan]], None]) -> None:
        """Call `publish` in the event loop when a new epoch is noticed."""
        self._publish = publish

    def note(self, name: str) -> bool:
        """Take note of the epoch of something that was committed or read. False if it is of an earlier epoch."""
        if name == self.name:
            return True
        if name in self._past:
            return False
        before, self.name = self.name, name
        if before:
            self._past.add(before)
            log.warning("epoch.began", epoch=name, before=before)
            self._publish([EpochBegan(name)])
        return True
