"""The command `read`."""

from functools import partial

from app.schemas.receipts import Read
from app.services import members
from app.services.access import Membership
from app.services.receipts import Receipt
from app.websocket.connection.connection import Later
from app.websocket.request import RoomRequest


def read(request: RoomRequest[Read]) -> Later | None:
    """Submit the receipt. It is written in batches, and holds back no later command."""
    member = request.cached_member()
    if member is None:
        return _join_and_read(request)
    _submit(request, member)
    return None


async def _join_and_read(request: RoomRequest[Read]) -> None:
    member = await request.member()
    if not member.has_joined:  # only members have a read position
        member = await request.deps.database.write_in_turn(
            member.room_id, members.enter, request.connection.caller, member.room_id
        )
    _submit(request, member)


def _submit(request: RoomRequest[Read], member: Membership) -> None:
    request.connection.inbox.departed()
    receipt = Receipt(member.room_id, member.user_id, member.username, request.command.id)
    request.deps.receipts.submit(receipt, partial(_answer, request, member.room_id))


def _answer(request: RoomRequest[Read], room_id: int, outcome: int | Exception) -> None:
    request.connection.inbox.arrived()
    if isinstance(outcome, Exception):
        request.refuse(outcome)
    else:
        request.acknowledge(room_id=room_id, id=outcome)
