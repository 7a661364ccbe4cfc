"""Commands about reactions."""

from app.schemas.reactions import AddReaction, RemoveReaction
from app.services import reactions
from app.websocket.request import RoomRequest


async def add(request: RoomRequest[AddReaction]) -> None:
    member, command = await request.member(), request.command
    seq = await request.deps.database.write(reactions.add, member, command.id, command.emoji)
    request.acknowledge(room_id=member.room_id, id=command.id, seq=seq)


async def remove(request: RoomRequest[RemoveReaction]) -> None:
    member, command = await request.member(), request.command
    seq = await request.deps.database.write(reactions.remove, member, command.id, command.emoji)
    request.acknowledge(room_id=member.room_id, id=command.id, seq=seq)
