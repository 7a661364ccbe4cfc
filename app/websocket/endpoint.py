"""`/ws/chat/{room_id}` and `/ws`: from the handshake to the last frame."""

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.core.addresses import origin
from app.core.clock import rfc3339
from app.core.errors import AppError, Unavailable
from app.core.logs import log
from app.schemas.auth import UserOut
from app.schemas.close_codes import close_for
from app.schemas.events import Ready
from app.services.token_verifier import TokenVerifier
from app.websocket.connection import Connection, ConnectionDeps
from app.websocket.handshake import SUBPROTOCOL, check_origin, find_token, number
from app.websocket.listening import Subscriber
from app.websocket.registry import TooManySockets
from app.websocket.transport import AsgiTransport, Transport, upgrade


class ServerStopping(Unavailable):
    """The server is going away; come back in a moment."""


class SocketEndpoint:
    """Lets sockets in. The one thing of this package that the application puts together."""

    def __init__(self, context: ConnectionDeps, authority: TokenVerifier, listening: Subscriber) -> None:
        self._context = context
        self._registry = context.registry
        self._authority = authority
        self._listening = listening

    async def serve(self, socket: WebSocket, room: str | None) -> None:
        """Answer a socket: until it is gone, or until it has been handed over.

        It is always accepted first and then closed with a code: a browser never sees the status of a refusal.
        """
        try:
            connection, since, subprotocol = await self._open(socket, room)
        except AppError as error:
            self._note(socket, error)
            offered = socket.scope.get("subprotocols", [])
            await socket.accept(SUBPROTOCOL if offered[:1] == [SUBPROTOCOL] else None)
            why = close_for(error)
            await socket.close(why.code, why.reason)
            return
        await socket.accept(subprotocol)
        if server := upgrade(socket):
            if raw := server.hand_over(connection):
                try:
                    self._begin(connection, raw, since)
                    server.begin(raw)
                except BaseException:
                    raw.abort()  # uvicorn has nothing left to close
                    raise
            return
        wire = AsgiTransport(socket, connection.fell_behind)
        try:
            self._begin(connection, wire, since)
            await wire.carry_out(_read(socket, connection, wire))
        finally:
            connection.lost()
            wire.abort()

    def _note(self, socket: WebSocket, error: AppError) -> None:
        """For whoever writes a client, and asks for it with LOG_LEVEL=debug. A browser does not tell its page much."""
        log.debug(
            "socket.refused",
            path=socket.scope["path"],
            close_code=close_for(error).code,
            code=error.code,
            origin=socket.headers.get("origin"),
        )

    async def _open(self, socket: WebSocket, room: str | None) -> tuple[Connection, int | None, str | None]:
        """Raises AppError."""
        if self._registry.is_closing:
            raise ServerStopping
        check_origin(socket, self._context.settings)
        token, subprotocol = find_token(socket)
        caller = await self._authority.caller(token)
        home = number(room, least=1)
        since = number(socket.query_params.get("since"), least=0)
        address = origin(socket.client.host) if socket.client else ""
        return Connection(self._context, caller, address, home), since, subprotocol

    def _begin(self, connection: Connection, wire: Transport, since: int | None) -> None:
        connection.wire = wire
        try:
            self._admit(connection)
        except (TooManySockets, ServerStopping) as error:
            connection.close(close_for(error))
        else:
            connection.run(self._welcome(connection, since))

    def _admit(self, connection: Connection) -> None:
        """Raises TooManySockets, and ServerStopping for who came while it began to stop."""
        if self._registry.is_closing:
            raise ServerStopping
        self._registry.add(connection)

    async def _welcome(self, connection: Connection, since: int | None) -> None:
        """Say `ready`, with where the room stands and what was missed, and begin to listen."""
        caller = connection.caller
        ready = Ready(
            user=UserOut(id=caller.user_id, username=caller.username, created_at=rfc3339(caller.created_at)),
            session_id=caller.session_id,
            expires_at=rfc3339(caller.expires_at * 1000),
        )
        if connection.home is None:
            connection.tell(ready)
            return
        try:
            start = await self._listening.attach(connection, connection.home, since)
            ready.room_id = connection.home
            ready.seq = start.room.last_seq
            ready.last_message_id = start.room.last_message_id
            ready.last_read_id = start.room.last_read_id
            connection.tell(ready)
            await self._listening.begin(connection, start, synced=since is not None)
        except AppError as error:
            connection.close(close_for(error))


async def _read(socket: WebSocket, connection: Connection, wire: AsgiTransport) -> None:
    """The same for a server that offers no raw socket. Text and binary are equal."""
    try:
        while True:
            await wire.may_read()
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if connection.is_over:
                continue  # it is being closed: what still comes counts no more
            text = message.get("text")
            payload = message["bytes"] if text is None else text.encode("utf-8", "surrogatepass")
            if len(payload) > connection.context.settings.max_frame_bytes:
                connection.oversize()
            else:
                connection.feed(payload, text is not None)
    except (WebSocketDisconnect, RuntimeError):
        return  # it was closed while we waited


async def _chat(socket: WebSocket) -> None:
    """One room; it is joined on the way in."""
    await socket.app.state.door.serve(socket, socket.path_params["room_id"])


async def _chats(socket: WebSocket) -> None:
    """Many rooms over one connection; every command names its room."""
    await socket.app.state.door.serve(socket, None)


# Plain routes, and the first to be looked at: there is nothing here for FastAPI to solve, and thousands come at once.
ROUTES = [WebSocketRoute("/ws/chat/{room_id}", _chat), WebSocketRoute("/ws", _chats)]
