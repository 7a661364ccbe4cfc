"""The HTTP side of a connection: uvicorn's, but who comes with a crowd waits for a turn before anything is parsed, and
who never comes to the point is cut off."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.core.turnstile import Turnstile

STATE = "turnstile"
"""Where an application that has a turnstile says so, in the state of its lifespan."""
MAX_WAITING = 65_536
"""Bytes that are read of somebody who stands in line. Reading goes on that far, to see who gives up."""
REQUEST_SECONDS = 60.0
"""Within which a request has to be complete, from its first byte, or from the connection. Nothing else ends a client
that sends a byte now and then, and each holds a file and a task."""


class EntranceProtocol(HttpToolsProtocol):
    """Thousands may come at once after a power cut. The kernel hands over the requests of all of them in one turn of
    the event loop; parsed there and then, they would keep everybody waiting who is at work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turnstile: Turnstile | None = self.app_state.get(STATE)
        self._asked = b""
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        if self._turnstile is None:
            super().data_received(data)
            return
        comes = not self._asked
        self._asked += data
        if len(self._asked) > MAX_WAITING:
            self.transport.pause_reading()
        if comes:
            self._turnstile.enter(self._come_in)

    def _come_in(self) -> None:
        self._turnstile = None
        asked, self._asked = self._asked, b""
        if not self.transport.is_closing():
            self.transport.resume_reading()
            super().data_received(asked)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_request()

    def on_message_complete(self) -> None:
        self._expect_nothing()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
