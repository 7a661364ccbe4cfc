"""The application: routes and middleware around a runtime."""

import contextlib
import os
from collections.abc import AsyncIterator
from functools import partial

from fastapi import FastAPI

from app import __version__
from app.core import misspelt
from app.core.config import ENV_FILE, ConfigurationError, Settings, get_settings
from app.core.logs import configure_logging
from app.core.security import signing_key
from app.core.serving.forwarded import ForwardedHeaders
from app.core.serving.plain_uvicorn import ServerConfig
from app.core.serving.reported_start import ReportedStart
from app.routers import auth, health, messages, rooms, site, sockets
from app.routers.http import problems
from app.routers.http.addresses import Addresses
from app.routers.http.cross_origin import CrossOrigin
from app.routers.http.middleware import AnswerCrashes, AnswerInTime, BodyLimit, SecurityHeaders
from app.routers.http.parts import Parts
from app.routers.http.unread_answers import UnreadAnswers
from app.runtime import build_runtime
from app.websocket import endpoint

DESCRIPTION = """
A chat backend you own: sign up, log in, create rooms, send messages over a WebSocket, read the history.

Press **Authorize** and sign in, in development as `user1` / `password123`. The commands and events of the socket are
documented at [/asyncapi](/asyncapi); [/test](/test) is a page for trying them.
"""

FIRST_SEGMENTS = {
    "api",
    "asyncapi",
    "asyncapi.json",
    "docs",
    "favicon.ico",
    "health",
    "openapi.json",
    "redoc",
    "static",
    "test",
    "ws",
}
"""How the addresses of this application begin."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """A chat backend with these settings, or with those of the environment. Raises ConfigurationError."""
    settings = settings or get_settings()
    configure_logging(settings.log_level, settings.log_format)
    _check_root_path(settings.root_path)
    key = signing_key.signing_key(settings)
    server = ServerConfig(settings.max_frame_bytes)
    app = FastAPI(
        title="Chat backend",
        version=__version__,
        description=DESCRIPTION,
        lifespan=partial(_lifespan, settings=settings, server=server, key=key),
        routes=[*endpoint.ROUTES],
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        openapi_url=None if settings.open_pages == "none" else "/openapi.json",
    )
    app.add_middleware(AnswerCrashes)
    app.add_middleware(UnreadAnswers)
    app.add_middleware(AnswerInTime)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(CrossOrigin, settings=settings)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Addresses, root_path=settings.root_path)
    app.add_middleware(ForwardedHeaders, trusted=settings.forwarded_allow_ips)
    app.state.server = server
    problems.install(app, settings.root_path)
    for router in (messages.router, rooms.router, auth.router, health.router, sockets.router):
        app.include_router(router)
    site.mount(app, settings.open_pages)
    return app


def _check_root_path(root_path: str) -> None:
    """Refuse a path that is also the beginning of an address: whether a proxy removed it would be ambiguous."""
    if root_path and root_path.split("/")[1] in FIRST_SEGMENTS:
        raise ConfigurationError(f"ROOT_PATH={root_path} begins like an address of the server itself")


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI, settings: Settings, server: ServerConfig, key: str) -> AsyncIterator[None]:
    """Build the runtime, bring the database up to date, serve, and stop without losing anything."""
    if server.exposed_host is not None:  # `uvicorn --host`, which takes precedence over HOST
        settings = settings.model_copy(update={"host": server.exposed_host})
    runtime = build_runtime(settings, key)
    parts: Parts = runtime  # what endpoints expect of it
    app.state.runtime = parts
    async with runtime.running():
        yield


def _of_the_environment() -> FastAPI:
    settings = get_settings()
    built = create_app(settings)
    misspelt.warn(ENV_FILE, os.environ)
    return built


app = ReportedStart(_of_the_environment, lambda app, receive: app.state.server.observe(receive))
"""The application for `uvicorn app.main:app` and every other ASGI server. `import app.main` alone reads no settings."""
