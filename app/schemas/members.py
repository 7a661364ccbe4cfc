"""Members of a room."""

from typing import Literal

from app.schemas.fields import Id, Seq
from app.schemas.frames import Event


class MemberJoined(Event):
    """A user is a member of the room from now on, connected or not."""

    type: Literal["member.joined"] = "member.joined"
    room_id: Id
    seq: Seq
    user: str
    user_id: Id
    role: str
