"""The parts that routers reach for, put together once in `app.main`."""

from dataclasses import dataclass

from app.core.config import Settings
from app.core.database import Database
from app.core.ratelimit import Limiter
from app.services.auth import SignIn
from app.services.ledger import Ledger
from app.services.presence import Presences
from app.services.recent import Tails
from app.services.token_verifier import Authority


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    database: Database
    authority: Authority
    ledger: Ledger
    tails: Tails
    presences: Presences
    sign_in: SignIn
    pace: Limiter
    """What each user may ask for, over REST and sockets together."""
