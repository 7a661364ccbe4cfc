"""What a connection needs to listen to a room, without a network."""

from app.core.config import Settings
from app.core.database import Database
from app.core.security.audit import Audit
from app.core.security.rate_limits import RateLimiter
from app.core.security.tokens import Tokens
from app.core.serving.admission import AdmissionQueue
from app.services.callers import Caller
from app.services.epochs import CurrentEpoch
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.services.publishing import Publisher
from app.services.quotas import Quotas
from app.services.receipts import Receipts
from app.services.token_verifier import TokenVerifier
from app.websocket.catch_up.pages import Pages
from app.websocket.catch_up.subscribe import Since, Subscriber
from app.websocket.connection import Connection, ConnectionDeps
from app.websocket.dispatch import Dispatcher
from app.websocket.hub.hub import Hub
from app.websocket.hub.registry import Registry
from app.websocket.hub.slow_listeners import SlowListeners
from app.websocket.request import HandlerDeps
from tests.support.fakes import RecordingTransport


class SocketStack:
    """The parts of a server between its database and its transports."""

    def __init__(self, database: Database) -> None:
        settings = Settings()
        self.epoch = CurrentEpoch(database)
        self.hub = Hub(database, PresenceTracker(), self.epoch)
        self.pages = Pages(database, settings.catch_up_limit, self.epoch)
        self.subscriber = Subscriber(database, self.pages, AdmissionQueue(), self.epoch)
        self.ledger = Ledger(database)
        self.registry = Registry(settings)
        handlers = HandlerDeps(
            database,
            self.ledger,
            Quotas(),
            Receipts(database),
            TokenVerifier(database, Tokens("k" * 32, 60)),
            self.subscriber,
            typing_limiter=RateLimiter(0, 1),
        )
        self._deps = ConnectionDeps(
            settings,
            self.hub,
            self.registry,
            SlowListeners(settings),
            RateLimiter(0, 1),
            Audit(),
            Dispatcher(handlers),
        )
        publisher = Publisher([self.hub.deliver], [self.hub.broadcast], [], [self.registry.start_anew], [])
        database.on_commit(publisher.publish)
        self.epoch.on_change(publisher.publish)

    def connect(self, caller: Caller, transport: RecordingTransport) -> Connection:
        connection = Connection(self._deps, caller, "192.0.2.1", None)
        connection.open(transport)
        return connection

    async def subscribe(self, caller: Caller, room_id: int, since: Since | None = None) -> RecordingTransport:
        """Subscribe to a room; returns the transport over which its events come."""
        transport = RecordingTransport()
        connection = self.connect(caller, transport)
        prepared = await self.subscriber.prepare(connection, room_id, since)
        await self.subscriber.go_live(connection, prepared, synced=since is not None)
        return transport
