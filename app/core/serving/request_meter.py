"""Bounds the bytes of a request that are not its content: the head, the framing of chunks, and trailers.

Nothing else does: the parser keeps a header line or a request target until its end, and an end may never come.
"""

from app.core.serving.request_head import RequestRefused

MAX_HEAD_BYTES = 65_536
MAX_TARGET_BYTES = 8_000
"""RFC 9112 section 3 recommends that servers support a request line of this length."""
MAX_HEADER_LINES = 100
"""Each line costs some 150 bytes of memory, however short it is. Browsers send about 15, proxies add 5."""
CHUNK_ALLOWANCE = 16
"""Bytes of framing that a chunk may have: its size and two line breaks."""
CONTENT_ALLOWANCE = 2
"""Bytes of framing that a byte of content may have besides, as Go's net/http counts it."""


class RequestMeter:
    """Counts what was received of a request. Its methods raise RequestRefused."""

    __slots__ = ("_framing", "_lines", "in_head")

    def __init__(self) -> None:
        self._framing = 0
        """Bytes that were received and are not accounted for by content."""
        self._lines = 0
        self.in_head = True

    @property
    def is_silent(self) -> bool:
        """Whether nothing has arrived of a request."""
        return self.in_head and not self._framing

    def begin(self) -> None:
        """A request begins. Bytes before it count: line breaks there are ignored (RFC 9112 section 2.2)."""
        self._lines = 0
        self.in_head = True

    def end_of_head(self) -> None:
        self.in_head = False
        self._framing = 0

    def end(self) -> None:
        self.in_head = True
        self._framing = 0

    def target(self, length: int) -> None:
        if length > MAX_TARGET_BYTES:
            raise RequestRefused(414, "The address is too long.")

    def header(self) -> None:
        """A header or a trailer is complete."""
        self._lines += 1
        if self._lines > MAX_HEADER_LINES:
            raise RequestRefused(431, "There are too many headers.")

    def chunk(self) -> None:
        self._framing = max(0, self._framing - CHUNK_ALLOWANCE)

    def content(self, length: int) -> None:
        self._framing = max(0, self._framing - (1 + CONTENT_ALLOWANCE) * length)

    def received(self, length: int) -> None:
        """Bytes are about to be parsed."""
        self._framing += length

    def check(self) -> None:
        """Called after they were parsed, so that content among them is known."""
        if self._framing > MAX_HEAD_BYTES:
            if self.in_head:
                raise RequestRefused(431, "The head of the request is too long.")
            raise RequestRefused(400, "The body has more framing than content.")
