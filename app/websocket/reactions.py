"""Commands about reactions."""

from app.schemas.reactions import AddReaction, RemoveReaction
from app.services import reactions
from app.websocket.request import RoomRequest


async def add(request: RoomRequest[AddReaction]) -> None:
    member, command = await request.member(), request.command
    request.deps.quotas.spend(member.user_id, command.emoji)
    seq = await request.deps.database.write_in_turn(
        member.room_id, reactions.add, member, command.id, command.emoji
    )
    request.acknowledge(room_id=member.room_id, id=command.id, seq=seq)


async def remove(request: RoomRequest[RemoveReaction]) -> None:
    member, command = await request.member(), request.command
    seq = await request.deps.database.write_in_turn(
        member.room_id, reactions.remove, member, command.id, command.emoji
    )
    request.acknowledge(room_id=member.room_id, id=command.id, seq=seq)
