"""Picks the function that carries out a command."""

from typing import assert_never

from app.schemas.auth import Renew
from app.schemas.commands import AnyCommand
from app.schemas.connections import Ping, Pong
from app.schemas.messages import DeleteMessage, EditMessage, SendMessage
from app.schemas.presence import Typing
from app.schemas.reactions import AddReaction, RemoveReaction
from app.schemas.receipts import Read
from app.schemas.subscriptions import Subscribe, Unsubscribe
from app.websocket import auth, messages, presence, reactions, receipts, subscriptions
from app.websocket.connection import Connection
from app.websocket.connection.connection import Later
from app.websocket.request import HandlerDeps, Request, RoomRequest


class Dispatcher:
    """Carries out a command at once, or returns the coroutine that does."""

    def __init__(self, deps: HandlerDeps) -> None:
        self._deps = deps

    def __call__(self, connection: Connection, command: AnyCommand) -> Later | None:
        deps = self._deps
        match command:
            case SendMessage():
                return messages.send(RoomRequest(deps, connection, command))
            case Typing():
                presence.show_typing(RoomRequest(deps, connection, command))
            case Ping():
                connection.send_event(Pong(ref=command.ref))
            case EditMessage():
                return messages.edit(RoomRequest(deps, connection, command))
            case DeleteMessage():
                return messages.delete(RoomRequest(deps, connection, command))
            case AddReaction():
                return reactions.add(RoomRequest(deps, connection, command))
            case RemoveReaction():
                return reactions.remove(RoomRequest(deps, connection, command))
            case Read():
                return receipts.read(RoomRequest(deps, connection, command))
            case Subscribe():
                return subscriptions.subscribe(RoomRequest(deps, connection, command))
            case Unsubscribe():
                subscriptions.unsubscribe(RoomRequest(deps, connection, command))
            case Renew():
                return auth.renew(Request(deps, connection, command))
            case _:
                assert_never(command)
        return None
