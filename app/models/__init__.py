"""The tables. Importing this package registers all of them, which migrations need."""

from app.models.base import Base
from app.models.epochs import Epoch, RoomEpoch
from app.models.members import Member
from app.models.messages import DeletedMessage, Message
from app.models.reactions import Reaction
from app.models.rooms import Room
from app.models.sessions import RefreshToken, Session
from app.models.users import User, UsernameKey

__all__ = [
    "Base",
    "DeletedMessage",
    "Epoch",
    "Member",
    "Message",
    "Reaction",
    "RefreshToken",
    "Room",
    "RoomEpoch",
    "Session",
    "User",
    "UsernameKey",
]
