"""A budget of memory for answers that clients have asked for and do not read."""

from collections import Counter
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.addresses import origin
from app.core.errors import TooManyRequests
from app.routers.http.problems import problem

SMALL_BYTES = 65_536
"""Smaller answers are not counted: servers buffer as much for every connection (uvicorn's `HIGH_WATER_LIMIT`)."""
USER_BYTES = 8 << 20
"""Bytes for one user: eight of the largest answers."""
ADDRESS_BYTES = 32 << 20
"""Bytes for one address, all its callers together."""


class TooMuchUnread(TooManyRequests):
    """Read the answers that you have asked for first."""


class _Tally:
    """Bytes on their way to clients, for each user and each address."""

    def __init__(self) -> None:
        self._bytes: Counter[tuple[str, object]] = Counter()

    def add(self, holders: Iterable[tuple[str, object]], size: int) -> bool:
        """Count these bytes for every holder, or for none. False if one has too many; a first answer is always
        allowed."""
        for holder in holders:
            held = self._bytes[holder]
            if held and held + size > (USER_BYTES if holder[0] == "user" else ADDRESS_BYTES):
                return False
        self._bytes.update(dict.fromkeys(holders, size))
        return True

    def remove(self, holders: Iterable[tuple[str, object]], size: int) -> None:
        for holder in holders:
            self._bytes[holder] -= size
            if not self._bytes[holder]:
                del self._bytes[holder]


class UnreadAnswers:
    """Counts a large answer until its client has taken nearly all of it; refuses further ones above the budget.

    An empty last part is sent after the body: an ASGI server waits with it until the body has left the write buffer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tally = _Tally()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        start: Message | None = None

        async def send_counted(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message  # until it is known whether the body may follow
                return
            begin, start = start, None
            if len(message.get("body", b"")) > SMALL_BYTES:
                await self._send_large(scope, receive, send, begin, message)
                return
            if begin is not None:
                await send(begin)
            await send(message)

        await self._app(scope, receive, send_counted)

    async def _send_large(
        self, scope: Scope, receive: Receive, send: Send, begin: Message | None, message: Message
    ) -> None:
        size, holders = len(message["body"]), _holders(scope)
        is_counted = self._tally.add(holders, size)
        if not is_counted and begin is not None:
            too_much = TooMuchUnread()
            headers = {"Retry-After": "1"}
            await problem(429, too_much.code, too_much.detail, headers=headers)(scope, receive, send)
            return
        try:
            if begin is not None:
                await send(begin)
            await send({**message, "more_body": True})
            await send({"type": message["type"], "body": b"", "more_body": message.get("more_body", False)})
        finally:
            if is_counted:
                self._tally.remove(holders, size)


def _holders(scope: Scope) -> list[tuple[str, object]]:
    """Whose answer it is: the caller's, if there is one, and the address's."""
    client = scope.get("client")
    holders: list[tuple[str, object]] = [("address", origin(client[0]) if client else "")]
    if (user_id := scope["state"].get("user_id")) is not None:
        holders.append(("user", user_id))
    return holders
