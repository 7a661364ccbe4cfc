"""What endpoints ask for in their signatures.

All of it is async: FastAPI sends a plain function to a thread, and the way there and back costs more than a query. Each
is one step from the request: a dependency of a dependency took as long as reading a token.
"""

from typing import Annotated

from fastapi import Depends, Path, Query
from fastapi.security import OAuth2PasswordBearer
from starlette.requests import HTTPConnection, Request

from app.core.database import Database
from app.core.security.tokens import InvalidToken
from app.schemas.fields import MAX_ID
from app.services import access
from app.services.access import Membership
from app.services.auth import Authentication, Client
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.parts import Parts
from app.services.presence import PresenceTracker
from app.services.recent import RecentMessages

bearer = OAuth2PasswordBearer(
    "/api/auth/token", auto_error=False, description="An access token from a login."
)

RoomId = Annotated[int, Path(ge=1, le=MAX_ID)]
MessageId = Annotated[int, Path(ge=1, le=MAX_ID)]
Cursor = Annotated[int | None, Query(ge=0, le=MAX_ID, description="A message id.")]
Since = Annotated[int, Query(ge=0, le=MAX_ID, description="A `seq` of the room.")]


def parts_of(connection: HTTPConnection) -> Parts:
    found: Parts = connection.app.state.parts
    return found


async def caller(connection: HTTPConnection, token: Annotated[str | None, Depends(bearer)]) -> Caller:
    """Whoever signed in with the token of this request. Raises InvalidToken, TooFast."""
    if token is None:
        raise InvalidToken
    parts = parts_of(connection)
    who = await parts.authority.caller(token)
    parts.pace.take(str(who.user_id))
    return who


CallerDep = Annotated[Caller, Depends(caller)]


async def member(connection: HTTPConnection, who: CallerDep, room_id: RoomId) -> Membership:
    """What the caller is in the room of the path. Joins nothing: the body may yet be refused. Raises RoomNotFound."""
    return await access.participation(parts_of(connection).database, who, room_id)


async def client(request: Request) -> Client:
    address = request.client.host if request.client else ""
    return Client(address, request.headers.get("user-agent", ""))


async def _database(connection: HTTPConnection) -> Database:
    return parts_of(connection).database


async def _ledger(connection: HTTPConnection) -> Ledger:
    return parts_of(connection).ledger


async def _tails(connection: HTTPConnection) -> RecentMessages:
    return parts_of(connection).tails


async def _presences(connection: HTTPConnection) -> PresenceTracker:
    return parts_of(connection).presences


async def _sign_in(connection: HTTPConnection) -> Authentication:
    return parts_of(connection).sign_in


MemberDep = Annotated[Membership, Depends(member)]
ClientDep = Annotated[Client, Depends(client)]
DatabaseDep = Annotated[Database, Depends(_database)]
LedgerDep = Annotated[Ledger, Depends(_ledger)]
TailsDep = Annotated[RecentMessages, Depends(_tails)]
PresencesDep = Annotated[PresenceTracker, Depends(_presences)]
SignInDep = Annotated[Authentication, Depends(_sign_in)]
