"""The HTTP side of a connection: uvicorn's, but the handshakes of a crowd wait for a turn before they are parsed, and
who never comes to the point is cut off."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.core.serving.admission import AdmissionQueue

HANDSHAKE = b"sec-websocket-key:"
END_OF_HEAD = b"\r\n\r\n"
MAX_WAITING = 65_536
"""Bytes that are kept of somebody who stands in line. Reading goes on, to see who gives up."""
REQUEST_SECONDS = 60.0
"""Within which a request has to be complete, from its first byte, or from the connection. Nothing else ends a client
that sends a byte now and then, and each holds a file and a task."""


class QueueingHttpProtocol(HttpToolsProtocol):
    """Thousands may come at once after a power cut. The kernel hands over the handshakes of all of them in one turn of
    the event loop; parsed there and then, they would keep everybody waiting who is at work.

    Requests do not stand in line: they are short, and are answered one by one as it is.
    """

    def __init__(self, *args: Any, turnstile: Callable[[], AdmissionQueue], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turnstile = turnstile()
        self._is_known = False
        self._asked = b""
        """What was read of somebody who stands in line; empty for all others."""
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        if self._asked:
            self._asked += data
            if len(self._asked) > MAX_WAITING:
                self.transport.abort()
        elif self._is_known or HANDSHAKE not in data.lower():
            self._is_known = True
            super().data_received(data)
        else:
            self._is_known = True
            self._asked = data
            self._turnstile.enter(self._come_in)

    def _come_in(self) -> None:
        if not self._asked or self.transport.is_closing():
            return  # gone between the call and its turn
        asked, self._asked = self._asked, b""
        head, end, rest = asked.partition(END_OF_HEAD)
        super().data_received(head + end)
        if rest and not self.transport.is_closing():  # uvicorn would lose it
            protocol = self.transport.get_protocol()
            assert isinstance(protocol, asyncio.Protocol)
            protocol.data_received(rest)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_request()

    def on_message_complete(self) -> None:
        self._expect_nothing()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        if self._asked:
            self._asked = b""
            self._turnstile.leave(self._come_in)
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
