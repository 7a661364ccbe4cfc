"""The part of the runtime that endpoints use."""

from typing import Protocol

from starlette.requests import HTTPConnection

from app.core.config import Settings
from app.core.database import Database
from app.core.security.audit import Audit
from app.core.security.rate_limits import RateLimiter
from app.services.auth import Authentication
from app.services.health import ReadinessProbe
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.services.quotas import Quotas
from app.services.recent import RecentMessages
from app.services.token_verifier import TokenVerifier


class Parts(Protocol):
    """The attributes of `app.runtime.Runtime` that endpoints may use."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def token_verifier(self) -> TokenVerifier: ...
    @property
    def authentication(self) -> Authentication: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def quotas(self) -> Quotas: ...
    @property
    def recent(self) -> RecentMessages: ...
    @property
    def presence(self) -> PresenceTracker: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def rate_limiter(self) -> RateLimiter: ...
    @property
    def readiness_probe(self) -> ReadinessProbe: ...
    @property
    def is_draining(self) -> bool: ...


def parts_of(connection: HTTPConnection) -> Parts:
    parts: Parts = connection.app.state.runtime
    return parts
