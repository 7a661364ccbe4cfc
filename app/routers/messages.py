"""Messages over REST: history, changes, sending, editing and deleting."""

from typing import Annotated

from fastapi import Query, Request, Response, status

from app.core import strict_json
from app.routers.http.dependencies import (
    CallerDep,
    Cursor,
    DatabaseDep,
    LedgerDep,
    MemberDep,
    MessageId,
    QuotasDep,
    RecentDep,
    RoomId,
    Since,
    SinceEpoch,
)
from app.routers.http.links import JSON, link
from app.routers.http.strict_routes import api
from app.schemas.changes import ChangesOut
from app.schemas.fields import Digits, StoredEmoji
from app.schemas.messages import (
    MessageDraft,
    MessageEdit,
    MessageObject,
    MessageOut,
    PostedMessage,
    PostedObject,
)
from app.schemas.problems import responses
from app.schemas.reactions import ReactionEntry
from app.services import changes, messages, reactions

router = api("messages", "Messages")

PageSize = Annotated[Digits, Query(ge=1, le=200)]
ChangeCount = Annotated[Digits, Query(ge=1, le=1000)]
OneEmoji = Annotated[StoredEmoji | None, Query(description="Only this emoji.")]


@router.get("/{room_id}", response_model=list[MessageOut], responses=responses(401, 404, 422))
async def get_history(
    request: Request,
    room_id: RoomId,
    who: CallerDep,
    database: DatabaseDep,
    before: Cursor = None,
    after: Cursor = None,
    limit: PageSize = 100,
) -> Response:
    """Get chat history: a page before or after a message id, or the newest one; oldest first.

    A page has `limit` messages, or as many as fit into a megabyte. The `Link` header (RFC 8288) contains the addresses
    of the older (`prev`) and newer (`next`) pages, and `Epoch` names the epoch in which the page was read.
    """
    epoch, page = await database.read(messages.page, who, room_id, before, after, limit)
    return _answer(page, headers={"Epoch": epoch} | _links(request, page))


@router.get("/{room_id}/recent", response_model=list[MessageOut], responses=responses(401, 404, 422))
async def get_recent(
    request: Request, room_id: RoomId, who: CallerDep, cache: RecentDep, limit: PageSize = 50
) -> Response:
    """Get recent messages, oldest first: `limit`, or as many as fit into a megabyte.

    The `Link` header (RFC 8288) contains the address of the older (`prev`) page of the history.
    """
    page = await cache.recent(who, room_id, limit)
    older = link("prev", request, {"before": page.first_id}, "/recent") if page.first_id > 1 else None
    return Response(
        page.body, headers={"Epoch": page.epoch} | ({"Link": older} if older else {}), media_type=JSON
    )


@router.get("/{room_id}/changes", response_model=ChangesOut, responses=responses(401, 404, 422))
async def get_changes(
    room_id: RoomId,
    who: CallerDep,
    database: DatabaseDep,
    since: Since = 0,
    epoch: SinceEpoch = None,
    limit: ChangeCount = 1000,
) -> Response:
    """Get the events after a `seq`, as a socket with `?since=` receives them; for bots and notification extensions.

    An answer contains at most a megabyte, whatever the `limit`; if it is `truncated`, ask again from its `seq`.
    """
    found = await database.read(changes.visible_since, who, room_id, since, limit, epoch)
    return Response(found.encode(), media_type=JSON)


@router.get(
    "/{room_id}/{message_id}/reactions",
    response_model=list[ReactionEntry],
    responses=responses(401, 404, 422),
)
async def get_reactions(
    request: Request,
    room_id: RoomId,
    message_id: MessageId,
    who: CallerDep,
    database: DatabaseDep,
    after: Since = 0,
    emoji: OneEmoji = None,
) -> Response:
    """Get who reacted to a message, of all emoji or of one: up to a thousand, oldest first, after a `seq`.

    If there are more, the `Link` header (RFC 8288) contains the address of the `next` ones.
    """
    page = await database.read(reactions.page, who, room_id, message_id, after, emoji)
    more = {"Link": link("next", request, {"after": page.entries[-1].seq})} if page.has_more else {}
    return Response(page.encode(), headers={"Epoch": page.epoch} | more, media_type=JSON)


@router.post(
    "/{room_id}",
    status_code=status.HTTP_201_CREATED,
    response_model=PostedMessage,
    responses=responses(401, 404, 422, 503, 507)
    | {200: {"model": PostedMessage, "description": "The message was already stored"}},
)
async def send_message(room_id: RoomId, draft: MessageDraft, who: CallerDep, ledger: LedgerDep) -> Response:
    """Send a message to a room; joins it if necessary. With a `client_id` it can be sent again and is stored once."""
    posted = await ledger.post(await ledger.admit(who, room_id, draft.reply_to), draft)
    if posted.duplicate:
        repeated: PostedObject = {**posted.message, "duplicate": True}
        return _answer(repeated)
    return _answer(posted.message, status.HTTP_201_CREATED)


@router.patch(
    "/{room_id}/{message_id}",
    response_model=MessageOut,
    responses=responses(401, 403, 404, 409, 422, 507),
)
async def edit_message(
    message_id: MessageId, edit: MessageEdit, member: MemberDep, database: DatabaseDep, quotas: QuotasDep
) -> Response:
    """Change the text of your own message, within a day."""
    quotas.spend(member.user_id, edit.content)
    return _answer(
        await database.write_in_turn(member.room_id, messages.edit, member, message_id, edit.content)
    )


@router.delete(
    "/{room_id}/{message_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(401, 403, 404, 409, 422),
)
async def delete_message(message_id: MessageId, member: MemberDep, database: DatabaseDep) -> None:
    """Delete a message. It keeps its id and loses its text."""
    await database.write_in_turn(member.room_id, messages.delete, member, message_id)


def _answer(
    content: MessageObject | list[MessageObject],
    status_code: int = status.HTTP_200_OK,
    headers: dict[str, str] | None = None,
) -> Response:
    """Answer with message objects, which are not validated against their model here: a test does that."""
    return Response(strict_json.encode(content), status_code, headers, JSON)


def _links(request: Request, page: list[MessageObject]) -> dict[str, str]:
    if not page:
        return {}
    links = [link("next", request, {"after": page[-1]["id"]})]
    if page[0]["id"] > 1:
        links.insert(0, link("prev", request, {"before": page[0]["id"]}))
    return {"Link": ", ".join(links)}
