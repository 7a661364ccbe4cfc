"""The running parts of the server, put together once: the only place where a concrete part is chosen."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import Connection

from app.core.config import Settings
from app.core.database import (
    Database,
    DatabaseUnavailable,
    UnitOfWork,
    file_lock,
    integrity,
    migrations,
    preparing,
)
from app.core.free_disk import FreeDisk
from app.core.logs import log
from app.core.security import signing_key
from app.core.security.audit import Audit
from app.core.security.password_policy import PasswordPolicy
from app.core.security.passwords import Passwords
from app.core.security.rate_limits import RateLimiter
from app.core.security.refresh_tokens import TokenChain
from app.core.security.tokens import Tokens
from app.core.serving.admission import AdmissionQueue
from app.models import Base
from app.services import epochs, samples
from app.services.auth import AttemptLimits, Authentication, TokenIssuer
from app.services.epochs import CurrentEpoch, EpochMark
from app.services.health import ReadinessProbe
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.services.publishing import Publisher
from app.services.quotas import Quotas
from app.services.receipts import Receipts
from app.services.recent import RecentMessages
from app.services.refresh_tokens import Lifetimes
from app.services.sessions import DAY_MS
from app.services.token_verifier import TokenVerifier
from app.websocket.catch_up.pages import Pages
from app.websocket.catch_up.subscribe import Subscriber
from app.websocket.connection import ConnectionDeps
from app.websocket.dispatch import Dispatcher
from app.websocket.endpoint import SocketEndpoint
from app.websocket.hub.hub import Hub
from app.websocket.hub.keepalive import keep_alive
from app.websocket.hub.reconcile import Reconciler
from app.websocket.hub.registry import Registry
from app.websocket.hub.slow_listeners import SlowListeners
from app.websocket.presence import TYPING_SECONDS
from app.websocket.request import HandlerDeps

ANSWER_SHARE, DRAIN_SHARE, CLOSE_SHARE, DATABASE_SHARE = 0.25, 0.1, 0.2, 0.2
"""Shares of SHUTDOWN_SECONDS, in the order of a stop:

- ANSWER: finish and answer the commands that were read, which a slow reader may use up;
- DRAIN: flush messages and receipts to disk;
- CLOSE: wait for clients to answer the close frame, then abort them;
- DATABASE: close the database.

The rest is for requests under way.
"""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything that lives as long as the server does. `app.state.runtime` is the only slot of the application."""

    settings: Settings
    passwords: Passwords
    database: Database
    token_verifier: TokenVerifier
    authentication: Authentication
    disk: FreeDisk
    quotas: Quotas
    ledger: Ledger
    receipts: Receipts
    recent: RecentMessages
    presence: PresenceTracker
    publisher: Publisher
    audit: Audit
    rate_limiter: RateLimiter
    """Requests and commands per user, over REST and sockets together."""
    admission: AdmissionQueue
    registry: Registry
    hub: Hub
    slow_listeners: SlowListeners
    reconciler: Reconciler
    epoch: CurrentEpoch
    epoch_mark: EpochMark
    socket_endpoint: SocketEndpoint
    readiness_probe: ReadinessProbe

    @property
    def is_draining(self) -> bool:
        return self.registry.is_closing

    def prepare(self) -> None:
        """Migrate the database, and create the sample data if wanted. Blocks, for minutes at worst.

        Raises ConfigurationError for a SQLite file that is missing or damaged, and for tables that are not ours.
        """
        integrity.check_file(self.settings.url, may_create=not self.settings.in_production)
        migrations.upgrade(self.database.writer, self._fill, Base.metadata)
        self.database.truncate_log()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Prepare the database and run the timers; at the end stop without losing anything, and close.

        Raises ConfigurationError while the database is being restored; no restore begins before the end.
        """
        with file_lock.shared(self.settings.database_file):
            async with self._running():
                yield

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        timers: list[asyncio.Task[None]] = []
        try:
            await preparing.unless_silent(self.database.writer, self.prepare)
            pings = keep_alive(
                self.hub, self.registry, self.slow_listeners, self.settings.ping_interval_seconds
            )
            with contextlib.suppress(
                DatabaseUnavailable
            ):  # else it is known with the first read that succeeds
                self.epoch.is_current(await self.database.read(epochs.name))
            await self.epoch_mark.update(self.database)
            marking, watching = self.epoch_mark.keep(self.database), self.database.keep_file()
            disk = self.disk.watch()
            timers += map(asyncio.create_task, (pings, self.reconciler.run(), marking, watching, disk))
            yield
        finally:
            for timer in timers:
                timer.cancel()
            await self.stop()
            self.passwords.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self.database.aclose(), DATABASE_SHARE * self.settings.shutdown_seconds
                )

    async def stop(self) -> None:
        """Accept no more, tell clients when to reconnect, finish what was read, and close. May be called again."""
        seconds = self.settings.shutdown_seconds
        if not self.registry.is_closing:
            self.registry.say_goodbye()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.registry.answered(), ANSWER_SHARE * seconds)
        with contextlib.suppress(TimeoutError):
            drained = asyncio.gather(self.ledger.drain(), self.receipts.drain())
            await asyncio.wait_for(drained, DRAIN_SHARE * seconds)
        await self.registry.close_all(CLOSE_SHARE * seconds)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.epoch_mark.update(self.database), DRAIN_SHARE * seconds)

    def _fill(self, connection: Connection) -> None:
        with UnitOfWork(connection, join_transaction_mode="create_savepoint") as db:
            self.epoch_mark.check(db)
            if self.settings.with_samples and samples.create(db, self.passwords):
                names = [name for name, _ in samples.ACCOUNTS]
                log.info("samples.created", accounts=names, rooms=samples.ROOMS)
            if self.settings.in_production or self.settings.is_exposed:
                self._warn(samples.with_public_passwords(db, self.passwords))
            db.commit()

    def _warn(self, accounts: list[str]) -> None:
        """Warn of settings and accounts that are convenient on a laptop and insecure elsewhere: a production database
        may have begun in development."""
        if accounts:
            advice = (
                "their passwords are public: change them, or start with a new database and SAMPLE_DATA=false"
            )
            log.warning("samples.exposed", host=self.settings.host, accounts=accounts, advice=advice)
        key = signing_key.configured_key(self.settings)
        if key is None or not signing_key.is_own(key.text):
            kind = "well-known" if key else "generated"
            log.warning(
                "key.exposed", host=self.settings.host, kind=kind, advice="set a SECRET_KEY of your own"
            )


def build_runtime(settings: Settings, key: str) -> Runtime:
    """Build every part, without an application and without touching the database. `key` signs tokens."""
    passwords = Passwords(settings.password_queue)
    database = Database(settings.url, settings.database_pool_size)
    previous = signing_key.previous_keys(settings)
    tokens = Tokens(key, settings.access_token_expire_minutes * 60, previous)
    token_verifier = TokenVerifier(database, tokens)
    lifetimes = Lifetimes(settings.refresh_token_expire_days * DAY_MS, settings.session_max_days * DAY_MS)
    audit = Audit()
    policy = PasswordPolicy(accepts_documented=not settings.in_production)
    issuer = TokenIssuer(tokens, TokenChain(key, previous), lifetimes)
    limits = AttemptLimits.within(settings)
    disk = FreeDisk(settings.database_file, settings.min_free_disk_bytes)
    quotas = Quotas.within(settings, disk)
    ledger, receipts = Ledger(database, quotas), Receipts(database)
    presence = PresenceTracker()
    rate_limiter = RateLimiter(settings.commands_per_second, settings.command_burst)
    epoch = CurrentEpoch(database)
    registry, slow_listeners, hub = (
        Registry(settings),
        SlowListeners(settings),
        Hub(database, presence, epoch),
    )
    admission = AdmissionQueue(lambda: database.is_writing)
    subscriber = Subscriber(database, Pages(database, settings.catch_up_limit, epoch), admission, epoch)
    typing_limiter = RateLimiter(1 / TYPING_SECONDS, burst=1)
    dispatch = Dispatcher(
        HandlerDeps(database, ledger, quotas, receipts, token_verifier, subscriber, typing_limiter)
    )
    publisher = Publisher(
        durable=[hub.deliver],
        ephemeral=[hub.broadcast],
        sessions_ended=[token_verifier.forget, registry.end_sessions],
        epoch_began=[token_verifier.forget_all, registry.start_anew],
        afterwards=[lambda: slow_listeners.check(time.monotonic())],
    )
    database.on_commit(publisher.publish)
    database.on_file_changed(lambda db: epochs.begin(db, after=epochs.name(db)))
    epoch.on_change(publisher.publish)
    deps = ConnectionDeps(settings, hub, registry, slow_listeners, rate_limiter, audit, dispatch)
    return Runtime(
        settings=settings,
        passwords=passwords,
        database=database,
        token_verifier=token_verifier,
        authentication=Authentication(database, passwords, policy, issuer, limits, audit),
        disk=disk,
        quotas=quotas,
        ledger=ledger,
        receipts=receipts,
        recent=RecentMessages(database),
        presence=presence,
        publisher=publisher,
        audit=audit,
        rate_limiter=rate_limiter,
        admission=admission,
        registry=registry,
        hub=hub,
        slow_listeners=slow_listeners,
        reconciler=Reconciler(database, hub, registry, epoch, publisher.publish),
        epoch=epoch,
        epoch_mark=EpochMark(settings.database_file),
        socket_endpoint=SocketEndpoint(deps, token_verifier, subscriber),
        readiness_probe=ReadinessProbe(settings, database),
    )
