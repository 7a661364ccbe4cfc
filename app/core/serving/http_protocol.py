"""The HTTP side of a connection: uvicorn's protocol, with a queue for handshakes and a deadline for requests."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.core.serving.admission import AdmissionQueue

HANDSHAKE = b"sec-websocket-key:"
END_OF_HEAD = b"\r\n\r\n"
MAX_QUEUED_BYTES = 65_536
"""Bytes that are stored for a client in the queue. Reading goes on, so that a disconnect is noticed."""
REQUEST_SECONDS = 60.0
"""How long a request may take to arrive, from its first byte or from the connection on. Nothing else ends a client that
sends a byte now and then, and each holds a file descriptor and a task."""


class QueueingHttpProtocol(HttpToolsProtocol):
    """Queues handshakes; incomplete requests time out.

    Thousands of clients may connect at once after an outage. The kernel delivers all their handshakes within one
    iteration of the event loop; parsed at once, they would delay all other work. Requests are not queued: they are
    short, and answered one by one anyway.
    """

    def __init__(self, *args: Any, admission: Callable[[], AdmissionQueue], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._admission = admission()
        self._is_admitted = False
        self._queued = b""
        """The bytes of a handshake in the queue; empty for all other connections."""
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._start_deadline()

    def data_received(self, data: bytes) -> None:
        if self._queued:
            self._queued += data
            if len(self._queued) > MAX_QUEUED_BYTES:
                self.transport.abort()
        elif self._is_admitted or HANDSHAKE not in data.lower():
            self._is_admitted = True
            super().data_received(data)
        else:
            self._is_admitted = True
            self._queued = data
            self._admission.submit(self._parse_queued)

    def _parse_queued(self) -> None:
        if not self._queued or self.transport.is_closing():
            return  # the client disconnected between the call and its turn
        queued, self._queued = self._queued, b""
        head, end, rest = queued.partition(END_OF_HEAD)
        super().data_received(head + end)
        if rest and not self.transport.is_closing():  # uvicorn would lose it
            protocol = self.transport.get_protocol()
            assert isinstance(protocol, asyncio.Protocol)
            protocol.data_received(rest)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._start_deadline()

    def on_message_complete(self) -> None:
        self._stop_deadline()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        if self._queued:
            self._queued = b""
            self._admission.cancel(self._parse_queued)
        super().connection_lost(exc)

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
