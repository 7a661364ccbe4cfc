"""Chat rooms."""

from fastapi import Request, Response, status

from app.routers.http.dependencies import CallerDep, DatabaseDep, PresenceDep, QuotasDep, RoomCursor, RoomId
from app.routers.http.links import JSON, link
from app.routers.http.strict_routes import api
from app.schemas.presence import PresenceOut
from app.schemas.problems import responses
from app.schemas.rooms import RoomDraft, RoomOut
from app.services import access, rooms
from app.services.presence import MAX_NAMES

router = api("rooms", "Rooms")


@router.get("", response_model=list[RoomOut], responses=responses(401))
async def list_rooms(
    request: Request, who: CallerDep, database: DatabaseDep, after: RoomCursor = None
) -> Response:
    """Get all rooms with their unread counts, oldest first, up to a thousand or a megabyte of them.

    If there are more, the `Link` header (RFC 8288) contains the address of the `next` ones.
    """
    found = await database.read(rooms.listing, who, after or 0)
    more = {"Link": link("next", request, {"after": found.last_id})} if found.has_more else None
    return Response(found.encode(), headers=more, media_type=JSON)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=responses(401, 422, 507),
    response_model_exclude_unset=True,
)
async def create_room(draft: RoomDraft, who: CallerDep, database: DatabaseDep, quotas: QuotasDep) -> RoomOut:
    """Create a room, owned by the caller."""
    quotas.check_disk()
    return await database.write(rooms.create, who, draft, quotas.rooms)


@router.get("/{room_id}", responses=responses(401, 404, 422), response_model_exclude_unset=True)
async def get_room(room_id: RoomId, who: CallerDep, database: DatabaseDep) -> RoomOut:
    """Get room details."""
    return await database.read(rooms.get, who, room_id)


@router.get("/{room_id}/presence", responses=responses(401, 404, 422))
async def get_presence(
    room_id: RoomId, who: CallerDep, database: DatabaseDep, presence: PresenceDep
) -> PresenceOut:
    """Get the users who are connected and their number; above 200 users only the number."""
    await access.room_view(database, who, room_id)
    names = presence.names(room_id)
    return PresenceOut(room_id=room_id, count=len(names), users=names if len(names) <= MAX_NAMES else [])
