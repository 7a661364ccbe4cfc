"""The HTTP side of a connection: uvicorn's protocol, with bounds in bytes, seconds and number, and a queue for
handshakes."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.core.logs import log
from app.core.serving import request_head
from app.core.serving.admission import AdmissionQueue
from app.core.serving.connection_limit import ConnectionLimit
from app.core.serving.refusal import LINGER_SECONDS, answer
from app.core.serving.request_head import RequestRefused
from app.core.serving.request_meter import RequestMeter
from app.core.serving.upgrade import UpgradeProtocol

HANDSHAKE = b"sec-websocket-key:"
MAX_QUEUED_BYTES = 65_536
"""Bytes that are stored for a client in the queue. Reading goes on, so that a disconnect is noticed."""
HEAD_SECONDS = 15.0
"""How long the head of a request may take to arrive, from its first byte or from the connection on."""
REQUEST_SECONDS = 60.0
"""How long the whole request may take. Nothing else ends a client that sends a byte now and then, and each holds a file
descriptor and a task."""
SLICE_BYTES = 4096
"""How much is parsed before it is counted: 256 KiB, as uvloop reads at once, hold 14,000 requests of 3 kB each."""
MAX_PIPELINED = 16
MAX_UNPARSED_BYTES = 1 << 19
MAX_DROPPED_BYTES = 1 << 24
"""How much of a body is read and dropped after its request was answered."""


class QueueingHttpProtocol(HttpToolsProtocol):
    """Queues handshakes, and refuses requests that are incomplete, too long or malformed.

    Thousands of clients may connect at once after an outage. The kernel delivers all their handshakes within one
    iteration of the event loop; parsed at once, they would delay all other work. Requests are not queued: they are
    short, and answered one by one anyway.
    """

    def __init__(
        self, *args: Any, admission: Callable[[], AdmissionQueue], limit: ConnectionLimit, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._admission = admission()
        self._limit = limit
        self._meter = RequestMeter()
        self._is_admitted = False
        self._queued = b""
        """The bytes of a handshake in the queue; empty for all other connections."""
        self._unparsed = b""
        """What a client sent after MAX_PIPELINED requests that are not answered yet."""
        self._deadline: asyncio.TimerHandle | None = None
        self._is_upgrade = False
        """Whether the parser takes the end of this head for the end of HTTP."""
        self._is_refused = False
        self._is_handed_over = False
        self._dropped = 0

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        if self._limit.add(self, self._address, len(self.connections)):
            self._start_deadline()
        else:
            self._is_refused = True
            self.transport.write(answer(429, "There are too many connections."))
            self.transport.close()  # without waiting for the client: it would hold the file descriptor

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        self._limit.remove(self, self._address)
        self._unparsed = b""
        if self._queued:
            self._queued = b""
            self._admission.cancel(self._parse_queued)
        super().connection_lost(exc)

    @property
    def is_idle(self) -> bool:
        return self.timeout_keep_alive_task is not None

    def close_idle(self) -> None:
        self.transport.close()

    @property
    def _address(self) -> str:
        """The peer's, not the client's behind a proxy. Connections of a Unix socket are local."""
        return self.client[0] if self.client else "localhost"

    # Reading

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._drop(len(data))
        elif self._queued:
            self._queued += data
            if len(self._queued) > MAX_QUEUED_BYTES:
                self.transport.abort()
        elif self._is_admitted or HANDSHAKE not in data.lower():
            self._is_admitted = True
            self._parse(data)
        else:
            self._is_admitted = True
            self._queued = data
            self._admission.submit(self._parse_queued)

    def _parse_queued(self) -> None:
        if not self._queued or self.transport.is_closing():
            return  # the client disconnected between the call and its turn
        queued, self._queued = self._queued, b""
        self._parse(queued)

    def _parse(self, data: bytes) -> None:
        """Parse in slices. Whatever follows too many requests waits until one of them is answered."""
        self._unset_keepalive_if_required()
        if not self._is_answering:
            self._start_deadline()
        if self._unparsed:
            data, self._unparsed = self._unparsed + data, b""
        position = 0
        while position < len(data) and not self._is_refused and not self._is_handed_over:
            if len(self.pipeline) >= MAX_PIPELINED:
                self._set_aside(data[position:])
                return
            position += self._parse_slice(data[position : position + SLICE_BYTES])
        if self._is_handed_over and position < len(data) and not self.transport.is_closing():
            protocol = self.transport.get_protocol()
            assert isinstance(protocol, asyncio.Protocol)
            protocol.data_received(data[position:])

    def _parse_slice(self, data: bytes) -> int:
        """Returns how many bytes were parsed: those after an upgrade are not."""
        self._meter.received(len(data))
        try:
            self.parser.feed_data(data)
            self._meter.check()
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self._hand_over()
            else:
                self._parse_without_upgrade()
            return int(upgrade.args[0])
        except RequestRefused as refused:
            self._refuse(refused)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(
                cause if isinstance(cause, RequestRefused) else RequestRefused(400, "This is not HTTP.")
            )
        return len(data)

    def _parse_without_upgrade(self) -> None:
        """Parse the head again, as if the client had not asked for another protocol: the body is still to come."""
        head = request_head.without_upgrade(
            self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers
        )
        self._is_upgrade = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(head)

    def _hand_over(self) -> None:
        self._stop_deadline()
        self._is_handed_over = True
        self.handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        if isinstance(protocol, UpgradeProtocol):
            protocol.on_known = lambda: self._limit.remove(self, self._address)
        else:
            self._limit.remove(self, self._address)

    def _set_aside(self, data: bytes) -> None:
        self._unparsed = data
        self.flow.pause_reading()
        if len(data) > MAX_UNPARSED_BYTES:
            self.transport.abort()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._unparsed and not self.transport.is_closing():
            self._parse(b"")

    # The parser's callbacks

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._meter.begin()
        self._dropped = 0
        self._start_deadline()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._meter.target(len(self.url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._meter.header()
        if self._meter.in_head:  # trailers come when the application has seen the headers, and are not wanted
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        request_head.check(self._method, self.parser.get_http_version(), self.headers)
        self._is_upgrade = self.parser.should_upgrade()
        if self._is_upgrade and not self._should_upgrade():
            return  # it is parsed again without it
        self._meter.end_of_head()
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        self._meter.chunk()

    def on_body(self, body: bytes) -> None:
        self._meter.content(len(body))
        if self.cycle.response_complete:
            self._drop(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._is_upgrade:
            return
        self._stop_deadline()
        self._meter.end()
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return request_head.is_handshake(self._method, self.parser.get_http_version(), self.headers)

    @property
    def _method(self) -> str:
        return self.parser.get_method().decode("ascii")

    # Deadlines and refusals

    @property
    def _is_answering(self) -> bool:
        """Whether the application has not answered yet what arrived."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._check_head)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _check_head(self) -> None:
        """A request that waits behind others is not read meanwhile, and so is not late."""
        self._deadline = None
        if self._meter.in_head and self._is_answering:
            self._start_deadline()
        elif self._meter.is_silent:
            self.transport.close()  # browsers open connections in advance, and would take an answer for the next one's
        elif self._meter.in_head:
            self._give_up()
        else:
            self._deadline = self.loop.call_later(REQUEST_SECONDS - HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._refuse(RequestRefused(408, "The request did not arrive in time."))

    def _refuse(self, refused: RequestRefused) -> None:
        """Answer, and read on for a moment: a connection that is closed while data arrives is reset."""
        log.debug("request.refused", status=refused.status, detail=refused.detail, address=self._address)
        self._is_refused = True
        self._stop_deadline()
        is_in_answer = self._is_answering and (self._meter.in_head or self.cycle.response_started)
        if self._is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if is_in_answer or self.pipeline:
            self.transport.close()  # an answer here would become a part of another
            return
        self.transport.write(answer(refused.status, refused.detail))
        self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _drop(self, count: int) -> None:
        """Ignore bytes of a request that has been answered, but not without end."""
        self._dropped += count
        if self._dropped > MAX_DROPPED_BYTES:
            self.transport.abort()
