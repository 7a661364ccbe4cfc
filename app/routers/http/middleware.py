"""Headers of every response, the answer to a crash, and a limit on the size of request bodies."""

import time

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.database.deadlines import asked_since
from app.core.errors import PayloadTooLarge
from app.routers.http.addresses import local_path
from app.routers.http.problems import crashed, problem

SECURITY_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]
CACHE_CONTROL = b"cache-control"
TRANSPORT_SECURITY = (b"strict-transport-security", b"max-age=31536000")
"""Without subdomains, which may belong to others. Only what came over https may carry it (RFC 6797 section 7.2)."""


class SecurityHeaders:
    """Forbids framing and MIME sniffing, and caching without revalidation."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[tuple[bytes, bytes]] = message["headers"]
                known = {name for name, _ in headers}
                headers.extend(header for header in SECURITY_HEADERS if header[0] not in known)
                if scope.get("scheme") == "https" and not _is_this_machine(scope):
                    headers.append(TRANSPORT_SECURITY)
                if CACHE_CONTROL not in known:
                    # User data is never cached. Everything else may be, but is revalidated: after an upgrade old and
                    # new modules must not be mixed.
                    private = local_path(scope).startswith("/api/")
                    headers.append((CACHE_CONTROL, b"no-store" if private else b"no-cache"))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _is_this_machine(scope: Scope) -> bool:
    """Whether the name is `localhost`: browsers would refuse http on all its ports. They ignore it for addresses."""
    host = Headers(scope=scope).get("host", "").partition(":")[0]
    return host == "localhost" or host.endswith(".localhost")


class AnswerCrashes:
    """Answers an error that nothing expected with a problem document. Starlette would do so outside of all middleware,
    and thus without the headers that let a page read it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            if has_started:
                raise  # the server ends the connection, so that half of an answer is not taken for a whole
            await crashed(Request(scope), error)(scope, receive, send)


class AnswerInTime:
    """Gives all database work of a request one deadline, from the time its body was read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # a socket lives for hours, and each of its commands has its own
            await self._app(scope, receive, send)
            return
        with asked_since(time.monotonic()) as allowance:

            async def receive_and_restart() -> Message:
                message = await receive()
                allowance.restart()
                return message

            await self._app(scope, receive_and_restart, send)


MAX_DROPPED = 1 << 24
"""Bytes of an oversized body that are read, so that the client receives an answer; beyond, the connection ends."""


class ContentTooLarge(PayloadTooLarge):
    """The body is larger than this server accepts."""


class BodyLimit:
    """Refuses a body above the limit: by its Content-Length, or once that much has arrived.

    The rest is read and dropped before the answer: a client that is still sending would see a broken connection.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdigit() and int(length) > self._limit:
            await _drop({"more_body": True}, receive)
            await problem(413, ContentTooLarge.code, ContentTooLarge().detail)(scope, receive, send)
            return
        total = 0

        async def receive_some() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._limit:
                await _drop(message, receive)
                raise HTTPException(413, ContentTooLarge().detail)
            return message

        await self._app(scope, receive_some, send)


async def _drop(message: Message, receive: Receive) -> None:
    """Read and drop what follows this message of a body; nothing follows the last one."""
    dropped = 0
    while message.get("more_body", False) and dropped < MAX_DROPPED:
        message = await receive()
        dropped += len(message.get("body", b""))
