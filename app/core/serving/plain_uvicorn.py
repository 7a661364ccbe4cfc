"""uvicorn started by its own command, `uvicorn app.main:app`: what the application can tighten of it, and what it hears
of it.

By default uvicorn decompresses frames of 16 MiB before an application has seen a token: 245 kB took 135 MB of memory.
Its configuration is at hand once, with the first event of the lifespan, before it listens.
"""

import uvicorn

from app.core.addresses import is_loopback
from app.core.serving.connection_limit import raise_descriptor_limit

MAX_FRAMES = 8
"""How many times as large as MAX_FRAME_BYTES a frame may be. Between the two it is answered with an error; beyond, the
connection is closed."""


class ServerConfig:
    """What is known of the server that runs the application."""

    def __init__(self, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self.exposed_host: str | None = None
        """Where other machines can reach it; None if they cannot, or if that is not known."""

    def observe(self, receive: object) -> None:
        """Tighten uvicorn by what it sends the lifespan with: a method of its LifespanOn. Other servers stay as they
        are."""
        raise_descriptor_limit()
        config = getattr(getattr(receive, "__self__", None), "config", None)
        if not isinstance(config, uvicorn.Config):
            return
        config.ws_per_message_deflate = False
        config.ws_max_size = min(config.ws_max_size, MAX_FRAMES * self._max_frame_bytes)
        if not is_loopback(config.host):
            self.exposed_host = config.host
