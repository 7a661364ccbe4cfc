"""Slow listeners: ephemeral events are withheld from them first, then they are closed."""

from typing import Protocol

from app.core.config import Settings
from app.core.logs import log
from app.schemas import close_codes
from app.schemas.close_codes import Close
from app.services.callers import Caller

OVER_SECONDS = 0.5
"""How long a listener may be over the limit of buffered bytes."""
HARD_LIMIT_FACTOR = 16
"""How many times the limit may be exceeded in that time: a room of long messages sends 5 MB at once, even on a small
server. By default there is room for everything that is buffered for a listener which catches up
(`channel.MAX_BUFFERED_BYTES`) and is sent in one piece."""


class _Buffer(Protocol):
    def buffered(self) -> int: ...


class SlowListener(Protocol):
    caller: Caller
    number: int
    is_behind: bool

    @property
    def transport(self) -> _Buffer: ...

    def close(self, why: Close) -> None: ...


class SlowListeners:
    """Watches the listeners whose write buffer has begun to fill, until it has drained."""

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.max_send_buffer_bytes
        self._watched: dict[SlowListener, float] = {}
        """Since when each has been over the limit, in monotonic seconds; 0 while it is not."""

    def watch(self, listener: SlowListener) -> None:
        self._watched.setdefault(listener, 0.0)

    def forget(self, listener: SlowListener) -> None:
        self._watched.pop(listener, None)

    def check(self, now: float) -> None:
        """Withhold ephemeral events above half of the limit; close listeners that stay above all of it.

        A large commit fills every buffer at once, also of listeners that read fast: they get a moment to show it,
        unless the buffer is far over the limit.
        """
        for listener, since in list(self._watched.items()):
            waiting = listener.transport.buffered()
            listener.is_behind = waiting > self._limit // 2
            if not waiting:
                del self._watched[listener]
            elif waiting <= self._limit:
                self._watched[listener] = 0.0
            elif not since and waiting <= HARD_LIMIT_FACTOR * self._limit:
                self._watched[listener] = now
            elif waiting > HARD_LIMIT_FACTOR * self._limit or now - since > OVER_SECONDS:
                name, number = listener.caller.username, listener.number
                log.info("listener.too_slow", user=name, connection=number, bytes=waiting)
                del self._watched[listener]
                listener.close(close_codes.TOO_SLOW)
