"""The parts that routers reach for, put together once in `app.main`."""

from dataclasses import dataclass

from app.core.config import Settings
from app.core.database import Database
from app.core.security.rate_limits import RateLimiter
from app.services.auth import Authentication
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.services.recent import RecentMessages
from app.services.token_verifier import TokenVerifier


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    database: Database
    authority: TokenVerifier
    ledger: Ledger
    tails: RecentMessages
    presences: PresenceTracker
    sign_in: Authentication
    pace: RateLimiter
    """What each user may ask for, over REST and sockets together."""
