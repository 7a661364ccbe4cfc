"""Members: how a user becomes part of a room."""

from app.core.clock import now_ms
from app.core.database import UnitOfWork
from app.models import Member, Room
from app.models.members import Role
from app.schemas.members import MemberJoined
from app.services import access
from app.services.access import Membership
from app.services.announcements import DurableEvents, announce
from app.services.callers import Caller


def enter(db: UnitOfWork, who: Caller | Membership, room_id: int) -> Membership:
    """The caller's membership; a caller who has none joins. Raises RoomNotFound."""
    room = access.locked_room(db, who, room_id)
    member = db.get(Member, (room_id, who.user_id)) or join(db, who, room, Role.MEMBER)
    return Membership(room_id, who.user_id, who.username, member.may_moderate, room.epoch)


def join(db: UnitOfWork, who: Caller | Membership, room: Room, role: Role) -> Member:
    """Make the caller a member of a room whose row is locked. Earlier messages count as read."""
    member = Member(
        room_id=room.id,
        user_id=who.user_id,
        role=role,
        joined_at=now_ms(),
        seq=room.next_seq(),
        last_read_id=room.last_message_id,
    )
    db.add(member)
    joined = MemberJoined(room_id=room.id, seq=member.seq, user=who.username, user_id=who.user_id, role=role)
    announce(db, DurableEvents(room.id, member.seq, [joined.encode()], room.epoch))
    db.flush()
    return member
