"""The command `typing`, which is broadcast and never stored."""

from app.core.security.rate_limits import TooFast
from app.schemas.presence import Typing, UserTyping
from app.services.announcements import EphemeralEvents
from app.websocket.request import RoomRequest

TYPING_SECONDS = 2.0
"""Between two `typing` events of a user in a room. Clients repeat the command at most every 3 seconds, so none of
theirs is dropped."""


def show_typing(request: RoomRequest[Typing]) -> None:
    room_id, caller = request.subscription().channel.room_id, request.connection.caller
    try:
        request.deps.typing_limiter.spend(f"{room_id} {caller.user_id}")
    except TooFast:
        return  # the other listeners received it a moment ago
    typing = UserTyping(room_id=room_id, user=caller.username, user_id=caller.user_id)
    events = EphemeralEvents(room_id, [typing.encode()], not_to=caller.user_id)
    request.connection.deps.hub.broadcast(events)
