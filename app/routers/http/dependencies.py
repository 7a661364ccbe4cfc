"""Dependencies that endpoints declare in their signatures.

All are async: FastAPI runs a plain function in a thread, and switching there and back costs more than a query. Each is
as close to the request as possible: a dependency of a dependency took as long as verifying a token.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Query
from fastapi.security import OAuth2PasswordBearer
from starlette.requests import HTTPConnection, Request

from app.core.database import Database
from app.core.security.audit import AuditEvent, Client
from app.core.security.rate_limits import TooFast, cost
from app.core.security.tokens import InvalidToken
from app.routers.http.parts import Parts, parts_of
from app.schemas.fields import EPOCH_NAME, MAX_ID, Digits
from app.services import access
from app.services.access import Membership
from app.services.auth import Authentication
from app.services.callers import Caller
from app.services.health import Readiness
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.services.quotas import Quotas
from app.services.recent import RecentMessages

T = TypeVar("T")

bearer = OAuth2PasswordBearer(
    "/api/auth/token", auto_error=False, description="An access token from a login."
)

RoomId = Annotated[Digits, Path(ge=1, le=MAX_ID)]
MessageId = Annotated[Digits, Path(ge=1, le=MAX_ID)]
RoomCursor = Annotated[Digits | None, Query(ge=0, le=MAX_ID, description="A room id.")]
Cursor = Annotated[Digits | None, Query(ge=0, le=MAX_ID, description="A message id.")]
Since = Annotated[Digits, Query(ge=0, le=MAX_ID, description="A `seq` of the room.")]
SinceEpoch = Annotated[str | None, Query(pattern=EPOCH_NAME, description="The epoch of `since`.")]


def client_of(connection: HTTPConnection) -> Client:
    address = connection.client.host if connection.client else ""
    return Client(address, connection.headers.get("user-agent", ""))


async def caller(connection: HTTPConnection, token: Annotated[str | None, Depends(bearer)]) -> Caller:
    """The caller named by the token of the request. Raises InvalidToken, TooFast."""
    if token is None:
        raise InvalidToken
    parts = parts_of(connection)
    try:
        who = await parts.token_verifier.caller(token)
    except InvalidToken:
        parts.audit.record(AuditEvent.TOKEN_REFUSED, client_of(connection), credential="access")
        raise
    connection.state.user_id = who.user_id  # whose budget of unread answers this is
    try:
        parts.rate_limiter.spend(str(who.user_id), cost(getattr(connection.state, "body_size", 0)))
    except TooFast:
        whom = {"user": who.username, "user_id": who.user_id, "session": who.session_id}
        parts.audit.record(AuditEvent.LIMIT_HIT, client_of(connection), limit="COMMANDS_PER_SECOND", **whom)
        raise
    return who


CallerDep = Annotated[Caller, Depends(caller)]


async def member(connection: HTTPConnection, who: CallerDep, room_id: RoomId) -> Membership:
    """The caller's membership in the room of the path. Joins nothing: the body may yet be refused.

    Raises RoomNotFound.
    """
    return await access.participation(parts_of(connection).database, who, room_id)


async def client(request: Request) -> Client:
    return client_of(request)


async def readiness(connection: HTTPConnection) -> Readiness:
    """Raises NotReady."""
    parts = parts_of(connection)
    return await parts.readiness_probe.check(is_draining=parts.is_draining)


def _part(get: Callable[[Parts], T]) -> Callable[[HTTPConnection], Awaitable[T]]:
    async def part(connection: HTTPConnection) -> T:
        return get(parts_of(connection))

    return part


MemberDep = Annotated[Membership, Depends(member)]
ReadinessDep = Annotated[Readiness, Depends(readiness)]
ClientDep = Annotated[Client, Depends(client)]
DatabaseDep = Annotated[Database, Depends(_part(lambda parts: parts.database))]
LedgerDep = Annotated[Ledger, Depends(_part(lambda parts: parts.ledger))]
QuotasDep = Annotated[Quotas, Depends(_part(lambda parts: parts.quotas))]
RecentDep = Annotated[RecentMessages, Depends(_part(lambda parts: parts.recent))]
PresenceDep = Annotated[PresenceTracker, Depends(_part(lambda parts: parts.presence))]
AuthenticationDep = Annotated[Authentication, Depends(_part(lambda parts: parts.authentication))]
