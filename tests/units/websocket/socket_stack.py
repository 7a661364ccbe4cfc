"""What it takes to begin to hear a room, without a network: a hub, connections, and a way out that is remembered."""

import json
from typing import Any

from app.core.config import Settings
from app.core.database import Database
from app.core.security.rate_limits import RateLimiter
from app.core.security.tokens import Tokens
from app.core.serving.admission import AdmissionQueue
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.services.receipts import Receipts
from app.services.token_verifier import TokenVerifier
from app.websocket.catch_up.pages import Pages
from app.websocket.catch_up.subscribe import Subscriber
from app.websocket.connection.connection import Connection, ConnectionDeps
from app.websocket.hub.hub import Hub
from app.websocket.hub.registry import Registry
from app.websocket.transport import Payload


class Taker:
    """A way out to a peer that takes everything."""

    direct = None

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.code: int | None = None

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def send(self, payload: Payload) -> None:
        self.bodies += payload.bodies

    async def drained(self) -> None: ...
    def close(self, code: int, _reason: str) -> None:
        self.code = code

    def buffered(self) -> int:
        return 0

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def abort(self) -> None: ...
    def ping(self) -> bool:
        return True


class House:
    """The parts of a server that listening needs, on a database."""

    def __init__(self, database: Database) -> None:
        settings = Settings()
        authority = TokenVerifier(database, Tokens("k" * 32, 60))
        registry = Registry(settings)
        self.hub = Hub(database, authority, PresenceTracker(), registry)
        self.pages = Pages(database, settings.catch_up_limit)
        self.listening = Subscriber(database, self.pages)
        self.ledger = Ledger(database)
        commands = Commands(database, self.ledger, Receipts(database), authority, self.listening)
        self._context = ConnectionDeps(
            settings, self.hub, registry, RateLimiter(0, 1), commands, AdmissionQueue()
        )
        database.on_commit(self.hub.publish)

    def connect(self, who: Caller, wire: Taker) -> Connection:
        connection = Connection(self._context, who, "", None)
        connection.wire = wire
        return connection

    async def hear(self, who: Caller, room: int, since: int | None = None) -> Taker:
        """Begin to hear a room; returns what was and will be heard."""
        wire = Taker()
        connection = self.connect(who, wire)
        await self.listening.begin(
            connection, await self.listening.attach(connection, room, since), synced=since is not None
        )
        return wire
