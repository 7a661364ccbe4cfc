"""An ASGI application that is built when its server starts, and that says in one sentence why it cannot start."""

import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from app.core.startup import reasons

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

STATUS = 2
"""The exit status of a process that cannot start, where the server has none of its own."""
FAILED = "lifespan.startup.failed"


class ReportedStart:
    """Servers differ in what they do with an exception at the import or in the lifespan: a traceback, a worker that is
    started again for ever, or silence. They agree on the event of a lifespan whose startup failed, so that reports
    everything.

    Until it is used, nothing is read or created. Attributes are those of the application.
    """

    def __init__(
        self,
        build: Callable[[], Application],
        observe: Callable[[Any, Receive], None] = lambda _application, _receive: None,
    ) -> None:
        """`observe` gets the application and what its server sends the lifespan with, before it starts."""
        self._build = build
        self._observe = observe
        self._application: Application | None = None

    @property
    def application(self) -> Application:
        """The application itself. Raises what building it raises."""
        if self._application is None:
            self._application = self._build()
        return self._application

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # servers ask what kind of application this is
            raise AttributeError(name)
        return getattr(self.application, name)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await self.application(scope, receive, send)

    async def _live(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        is_starting = True

        async def send_without_traceback(message: Message) -> None:
            nonlocal is_starting
            if message["type"] != FAILED:
                is_starting = False
                await send(message)

        try:
            self._observe(self.application, receive)
            await self.application(scope, receive, send_without_traceback)
        except Exception as error:
            if not is_starting:
                raise
            say(error)
            try:
                await send({"type": FAILED, "message": ""})
            except Exception:  # noqa: BLE001 - hypercorn raises here, and would print that with a traceback
                os._exit(STATUS)


def say(error: BaseException) -> None:
    """Print why the server cannot start."""
    for reason in reasons(error):
        print(f"Cannot start: {reason}", file=sys.stderr, flush=True)  # noqa: T201 - before any log
