"""The application: routes and middleware around a runtime."""

import contextlib
from collections.abc import AsyncIterator
from functools import partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app import __version__
from app.core.config import Settings, get_settings
from app.core.logs import configure_logging
from app.core.security import signing_key
from app.routers import auth, health, messages, rooms, site
from app.routers.http import problems
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
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(AnswerInTime)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_origin_regex=settings.origin_pattern,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Link", "Retry-After", "Epoch"],
        allow_credentials=settings.cors_credentials,
        max_age=600,
    )
    app.add_middleware(SecurityHeaders)
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


def __getattr__(name: str) -> FastAPI:
    """Create the application for `uvicorn app.main:app`; `import app.main` alone creates none and reads no settings."""
    if name == "app":
        globals()["app"] = create_app()
        found: FastAPI = globals()["app"]
        return found
    raise AttributeError(name)
