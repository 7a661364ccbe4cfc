"""The application: the only place where a concrete part is chosen."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

from fastapi import FastAPI
from sqlalchemy import Connection
from starlette.middleware.cors import CORSMiddleware

from app import __version__
from app.core.config import Settings, get_settings
from app.core.database import Database, migrations
from app.core.logs import configure_logging, log
from app.core.security import signing_key
from app.core.security.passwords import Passwords
from app.core.security.rate_limits import RateLimiter
from app.core.security.tokens import Tokens
from app.core.serving.admission import AdmissionQueue
from app.routers import auth, health, messages, rooms, site
from app.routers.http import problems
from app.routers.http.middleware import BodyLimit, SecurityHeaders
from app.services import samples
from app.services.auth import Attempts, Authentication
from app.services.ledger import Ledger
from app.services.parts import Parts
from app.services.presence import PresenceTracker
from app.services.receipts import Receipts
from app.services.recent import RecentMessages
from app.services.token_verifier import TokenVerifier
from app.websocket import endpoint
from app.websocket.commands import Commands
from app.websocket.connection import ConnectionDeps
from app.websocket.endpoint import SocketEndpoint
from app.websocket.hub import Hub
from app.websocket.keepalive import keep_alive, look_around
from app.websocket.listening import Subscriber
from app.websocket.pages import Pages
from app.websocket.registry import Registry

ANSWER_SHARE, DRAIN_SHARE, FAREWELL_SHARE, CLOSE_SHARE = 0.25, 0.1, 0.2, 0.2
"""Of SHUTDOWN_SECONDS: how long a stop waits for what was read to be done and answered, which somebody who reads slowly
may use up, then for messages and marks to be on disk, for clients to answer its goodbye (then they are cut off), and
for the database to let go. What is left is for requests under way."""

DESCRIPTION = """
A chat backend you own: sign up, log in, make rooms, talk over a WebSocket, read the history.

Press **Authorize** and sign in; in development `user1` / `password123` is there to try. The socket's side of the
story is at [/asyncapi](/asyncapi), and [/test](/test) is a page to talk to yourself on.
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
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_origin_regex=settings.origin_pattern,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Link", "Retry-After"],
        allow_credentials=settings.cors_credentials,
        max_age=600,
    )
    app.add_middleware(SecurityHeaders)
    problems.install(app)
    for router in (
        messages.router,
        rooms.router,
        auth.router,
        health.router,
    ):  # the busiest is looked at first
        app.include_router(router)
    app.router.routes[:0] = endpoint.ROUTES
    site.mount(app)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI, settings: Settings, key: str) -> AsyncIterator[None]:
    """Put the parts together, bring the database up to date, serve, and stop without losing anything."""
    passwords = Passwords(settings.password_queue)
    database = Database(settings.url, settings.database_pool_size)
    await asyncio.to_thread(_prepare, settings, database, passwords)
    tokens = Tokens(key, settings.access_token_expire_minutes * 60)
    authority = TokenVerifier(database, tokens)
    ledger, marks = Ledger(database), Receipts(database)
    presences = PresenceTracker()
    attempts = Attempts.within(settings)
    sign_in = Authentication(
        database, passwords, tokens, attempts, settings.refresh_token_expire_days * 86_400
    )
    pace = RateLimiter(settings.commands_per_second, settings.command_burst)
    registry = Registry(settings)
    hub = Hub(database, authority, presences, registry)
    database.on_commit(hub.publish)
    turnstile = app.state.turnstile = AdmissionQueue(lambda: database.is_writing)
    listening = Subscriber(database, Pages(database, settings.catch_up_limit))
    commands = Commands(database, ledger, marks, authority, listening)
    app.state.parts = Parts(
        settings, database, authority, ledger, RecentMessages(database), presences, sign_in, pace
    )
    app.state.door = SocketEndpoint(
        ConnectionDeps(settings, hub, registry, pace, commands, turnstile), authority, listening
    )
    stop = app.state.stop = partial(_stop, registry, ledger, marks, settings.shutdown_seconds)
    keepers = [
        asyncio.create_task(keep_alive(hub, registry, settings.ping_interval_seconds)),
        asyncio.create_task(look_around(hub)),
    ]
    yield
    for keeper in keepers:
        keeper.cancel()
    await stop()
    passwords.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(database.aclose(), CLOSE_SHARE * settings.shutdown_seconds)


def _prepare(settings: Settings, database: Database, passwords: Passwords) -> None:
    def fill(connection: Connection) -> None:
        if settings.with_samples and samples.plant(connection, passwords):
            log.info("samples.planted", accounts=[name for name, _ in samples.ACCOUNTS], rooms=samples.ROOMS)
        if settings.in_production or settings.is_exposed:
            _warn_of_doors(settings, samples.opened_by_all(connection, passwords))

    migrations.upgrade(database.writer, fill)
    database.truncate_log()


def _warn_of_doors(settings: Settings, accounts: list[str]) -> None:
    """Say what is handy on a laptop and a door elsewhere. Production may have been given a database of development."""
    if accounts:
        advice = (
            "everybody knows their passwords: change them, or begin with a new database and SAMPLE_DATA=false"
        )
        log.warning("samples.exposed", host=settings.host, accounts=accounts, advice=advice)
    if not signing_key.is_own(settings.secret_key):
        kind = "well-known" if settings.secret_key else "generated"
        log.warning("key.exposed", host=settings.host, kind=kind, advice="set a SECRET_KEY of your own")


async def _stop(registry: Registry, ledger: Ledger, marks: Receipts, seconds: float) -> None:
    """Take no more, finish what was taken, say when to come back, and close. May be called again."""
    if not registry.is_closing:
        registry.say_goodbye()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(registry.answered(), ANSWER_SHARE * seconds)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(ledger.drain(), marks.drain()), DRAIN_SHARE * seconds)
    await registry.close_all(FAREWELL_SHARE * seconds)


def __getattr__(name: str) -> FastAPI:
    """`uvicorn app.main:app` finds an application; `import app.main` alone makes none and reads no settings."""
    if name == "app":
        globals()["app"] = create_app()
        found: FastAPI = globals()["app"]
        return found
    raise AttributeError(name)
