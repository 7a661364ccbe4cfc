"""uvicorn started by its own command, `uvicorn app.main:app`: what the application can tighten of it, and what it hears
of it.

By default uvicorn decompresses frames of 16 MiB before an application has seen a token: 245 kB took 135 MB of memory.
Its configuration is at hand once, with the first event of the lifespan, before it listens.
"""

from typing import Any

import uvicorn

from app.core.addresses import is_loopback
from app.core.serving.connection_limit import raise_descriptor_limit

MAX_FRAMES = 8
"""How many times as large as MAX_FRAME_BYTES a frame may be. Between the two it is answered with an error; beyond, the
connection is closed."""


class ServerConfig:
    """What is known of the server that runs the application."""

    def __init__(self) -> None:
        self.exposed_host: str | None = None
        """Where other machines can reach it; None if they cannot, or if that is not known."""

    def tighten(self, config: uvicorn.Config, max_frame_bytes: int) -> None:
        config.ws_per_message_deflate = False
        config.ws_max_size = min(config.ws_max_size, MAX_FRAMES * max_frame_bytes)
        if not is_loopback(config.host):
            self.exposed_host = config.host


class TightenUvicorn:
    """An ASGI middleware. Under other servers it does nothing."""

    def __init__(self, app: Any, server: ServerConfig, max_frame_bytes: int) -> None:
        self._app = app
        self._server = server
        self._max_frame_bytes = max_frame_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise_descriptor_limit()
            # `receive` is a method of uvicorn's LifespanOn, which keeps the configuration.
            config = getattr(getattr(receive, "__self__", None), "config", None)
            if isinstance(config, uvicorn.Config):
                self._server.tighten(config, self._max_frame_bytes)
        await self._app(scope, receive, send)
