"""The application: routes and middleware around a runtime."""

import contextlib
import os
from collections.abc import AsyncIterator
from functools import partial

from fastapi import FastAPI

from app import __version__
from app.core import misspelt
from app.core.config import ENV_FILE, Settings, get_settings
from app.core.logs import configure_logging
from app.core.security import signing_key
from app.core.serving.forwarded import ForwardedHeaders
from app.core.serving.reported_start import ReportedStart
from app.routers import auth, health, messages, rooms, site
from app.routers.http import problems
from app.routers.http.cross_origin import CrossOrigin
from app.routers.http.middleware import AnswerInTime, BodyLimit, SecurityHeaders
from app.routers.http.parts import Parts
from app.runtime import build_runtime
from app.websocket import endpoint

DESCRIPTION = """
A chat backend you own: sign up, log in, create rooms, send messages over a WebSocket, read the history.

Press **Authorize** and sign in, in development as `user1` / `password123`. The commands and events of the socket are
documented at [/asyncapi](/asyncapi); [/test](/test) is a page for trying them.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """A chat backend with these settings, or with those of the environment. Raises ConfigurationError."""
    settings = settings or get_settings()
    configure_logging(settings.log_level, settings.log_format)
    key = signing_key.signing_key(settings)
    app = FastAPI(
        title="Chat backend",
        version=__version__,
        description=DESCRIPTION,
        lifespan=partial(_lifespan, settings=settings, key=key),
        routes=[*endpoint.ROUTES],
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(AnswerInTime)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(CrossOrigin, settings=settings)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(ForwardedHeaders, trusted=settings.forwarded_allow_ips)
    problems.install(app)
    for router in (messages.router, rooms.router, auth.router, health.router):
        app.include_router(router)
    site.mount(app)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI, settings: Settings, key: str) -> AsyncIterator[None]:
    """Build the runtime, bring the database up to date, serve, and stop without losing anything."""
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


app = ReportedStart(_of_the_environment)
"""The application for `uvicorn app.main:app` and every other ASGI server. `import app.main` alone reads no settings."""
