"""The audit log: what became of accounts and logins, and what was refused. It is always on, whatever LOG_LEVEL says."""

import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import structlog

from app.core.addresses import origin
from app.core.security.rate_limits import Bucket, RateLimiter

log: structlog.stdlib.BoundLogger = structlog.get_logger("audit")

PER_ADDRESS = (1.0, 60)
"""Lines a second of one kind from one address, and how many at once."""
SAMPLED_PER_ADDRESS = (1 / 60, 3)
"""The same for kinds of which a sample is enough: every client presents an expired token once a day."""
PER_KIND = (20.0, 600)
"""The same from all addresses together: at worst 400 MB a day."""
MAX_TEXT = 200


class AuditEvent(StrEnum):
    """What is recorded."""

    ACCOUNT_MADE = "account.made"
    LOGIN_OK = "login.ok"
    LOGIN_FAILED = "login.failed"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - the name of an event
    SESSION_ENDED = "session.ended"
    REFRESH_REUSED = "refresh.reused"
    TOKEN_REFUSED = "token.refused"  # noqa: S105
    ORIGIN_REFUSED = "origin.refused"
    LIMIT_HIT = "limit.hit"


SAMPLED = frozenset({AuditEvent.TOKEN_REFUSED})


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from."""

    address: str
    user_agent: str


class Audit:
    """Writes the audit log. Each kind of event is limited, by address and in all, so that none floods the log."""

    def __init__(self) -> None:
        self._addresses = RateLimiter(*PER_ADDRESS)
        self._sampled_addresses = RateLimiter(*SAMPLED_PER_ADDRESS)
        self._kinds = {event: Bucket(*PER_KIND) for event in AuditEvent}
        self._omitted: Counter[AuditEvent] = Counter()
        """Events since the last line of their kind that were not written."""

    def record(self, event: AuditEvent, client: Client, **fields: object) -> None:
        """Write one line, or count the event as omitted. Fields that are None are left out."""
        now = time.monotonic()
        addresses = self._sampled_addresses if event in SAMPLED else self._addresses
        address = addresses.bucket(f"{event} {origin(client.address)}")
        if not (_take(address, now) and _take(self._kinds[event], now)):
            self._omitted[event] += 1
            return
        fields |= {
            "logger": "audit",
            "omitted": self._omitted.pop(event, None),
            "address": printable(client.address),
            "agent": printable(client.user_agent) or None,
        }
        log.info(event.value, **{name: value for name, value in fields.items() if value is not None})


def printable(text: str) -> str:
    """Text of a client for the log: short, and nothing that a terminal would act on."""
    return "".join(char if char.isprintable() else "?" for char in text[:MAX_TEXT])


def _take(bucket: Bucket, now: float) -> bool:
    if bucket.spend(now) > 0:
        bucket.give_back()
        return False
    return True
