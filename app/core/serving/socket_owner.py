"""What an open socket reports to the object that owns it."""

from typing import Protocol


class SocketOwner(Protocol):
    """The callbacks of a socket. They run in the event loop and must not raise."""

    def message_received(self, payload: bytes, is_text: bool) -> None:
        """A complete message has arrived."""

    def control_frames_received(self, count: int) -> None:
        """Pings, pongs and fragments have arrived: no message, but they take time and count toward the rate limit."""

    def write_buffer_high(self) -> None:
        """More than HIGH_WATER bytes are buffered for the peer."""

    def frame_too_large(self) -> None:
        """A frame exceeds the limit and is dropped."""

    def closing(self) -> None:
        """The closing handshake has begun: `direct_write` must not be used any more."""

    def connection_lost(self) -> None:
        """The connection is gone: from now on `direct_write` of uvloop raises."""


class _NoOwner:
    """The owner of lost connections."""

    def message_received(self, payload: bytes, is_text: bool) -> None: ...
    def control_frames_received(self, count: int) -> None: ...
    def write_buffer_high(self) -> None: ...
    def frame_too_large(self) -> None: ...
    def closing(self) -> None: ...
    def connection_lost(self) -> None: ...


NO_OWNER = _NoOwner()
