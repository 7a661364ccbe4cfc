"""`/ws/chat/{room_id}` and `/ws`: from the handshake to the last frame."""

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.core.addresses import origin
from app.core.clock import rfc3339
from app.core.errors import AppError, NotFound, Unavailable
from app.core.logs import log
from app.core.security.audit import AuditEvent, printable
from app.core.security.tokens import InvalidToken
from app.schemas.auth import UserOut
from app.schemas.close_codes import close_for
from app.schemas.commands import FEATURES
from app.schemas.connections import Ready
from app.services.token_verifier import TokenVerifier
from app.websocket.catch_up.subscribe import Since, Subscriber
from app.websocket.connection import Connection, ConnectionDeps
from app.websocket.handshake import (
    OriginNotAllowed,
    check_origin,
    check_parameters,
    client_of,
    find_token,
    parse_epoch,
    parse_number,
    subprotocol,
)
from app.websocket.hub.registry import TooManySockets
from app.websocket.transport import AsgiTransport, Transport, upgrade


class ServerStopping(Unavailable):
    """The server is shutting down; reconnect in a moment."""


class NoSocketHere(NotFound):
    """There is no socket at this address: connect to /ws or /ws/chat/{room_id}."""


class SocketEndpoint:
    """Accepts sockets and turns them into connections."""

    def __init__(self, deps: ConnectionDeps, token_verifier: TokenVerifier, subscriber: Subscriber) -> None:
        self._deps = deps
        self._registry = deps.registry
        self._audit = deps.audit
        self._token_verifier = token_verifier
        self._subscriber = subscriber

    async def serve(self, socket: WebSocket, room: str | None) -> None:
        """Answer a handshake; return when the connection is gone, or has been handed over.

        A refused socket is accepted first and then closed with a code: a browser never sees the status of a refusal.
        """
        try:
            connection, since = await self._open(socket, room)
        except AppError as error:
            await self.refuse(socket, error)
            return
        await socket.accept(subprotocol(socket))
        if server := upgrade(socket):
            if raw := server.hand_over(connection):
                try:
                    self._start(connection, raw, since)
                    server.deliver_early_data(raw)
                except BaseException:
                    raw.abort()  # uvicorn has nothing left to close
                    raise
            return
        transport = AsgiTransport(socket, connection.write_buffer_high)
        try:
            self._start(connection, transport, since)
            await transport.run(_read(socket, connection, transport))
        finally:
            connection.connection_lost()
            transport.abort()

    async def refuse(self, socket: WebSocket, error: AppError) -> None:
        """Close with the reason, and log it at LOG_LEVEL=debug: a browser gives its page few details."""
        close = close_for(error)
        log.debug(
            "socket.refused",
            path=socket.scope["path"],
            close_code=close.code,
            code=error.code,
            origin=socket.headers.get("origin"),
        )
        if isinstance(error, InvalidToken):
            self._audit.record(AuditEvent.TOKEN_REFUSED, client_of(socket), credential="access")
        if isinstance(error, OriginNotAllowed):
            said = {name: printable(socket.headers.get(name, "")) for name in ("origin", "host")}
            self._audit.record(AuditEvent.ORIGIN_REFUSED, client_of(socket), **said)
        await socket.accept(subprotocol(socket))
        await socket.close(close.code, close.reason)

    async def _open(self, socket: WebSocket, room: str | None) -> tuple[Connection, Since | None]:
        """The connection and its `since`. Raises AppError."""
        if self._registry.is_closing:
            raise ServerStopping
        check_origin(socket, self._deps.settings)
        check_parameters(socket, has_room=room is not None)
        caller = await self._token_verifier.caller(find_token(socket))
        room_id = parse_number(room, least=1)
        since = parse_number(socket.query_params.get("since"), least=0)
        epoch = parse_epoch(socket.query_params.get("epoch"))
        address = origin(socket.client.host) if socket.client else ""
        connection = Connection(self._deps, caller, address, room_id)
        return connection, None if since is None else Since(since, epoch)

    def _start(self, connection: Connection, transport: Transport, since: Since | None) -> None:
        connection.open(transport)
        try:
            self._register(connection)
        except (TooManySockets, ServerStopping) as error:
            if isinstance(error, TooManySockets):
                connection.record(AuditEvent.LIMIT_HIT, limit=error.setting)
            connection.close(close_for(error))
        else:
            connection.run(self._welcome(connection, since))

    def _register(self, connection: Connection) -> None:
        """Raises TooManySockets, and ServerStopping if the server began to stop during the handshake."""
        if self._registry.is_closing:
            raise ServerStopping
        self._registry.add(connection)

    async def _welcome(self, connection: Connection, since: Since | None) -> None:
        """Send `ready`, with the position of the room, then what was missed, and start to listen."""
        if connection.is_over:
            return
        caller = connection.caller
        ready = Ready(
            user=UserOut.of(caller.user_id, caller.username, caller.created_at),
            session_id=caller.session_id,
            expires_at=rfc3339(caller.expires_at * 1000),
            features=FEATURES,
        )
        if connection.default_room_id is None:
            connection.send_event(ready)
            return
        try:
            prepared = await self._subscriber.prepare(connection, connection.default_room_id, since)
            ready.room_id = prepared.room.id
            ready.seq = prepared.room.last_seq
            ready.epoch = prepared.room.epoch
            ready.last_message_id = prepared.room.last_message_id
            ready.last_read_id = prepared.room.last_read_id
            connection.send_event(ready)
            await self._subscriber.go_live(connection, prepared, synced=since is not None)
        except AppError as error:
            connection.close(close_for(error))


async def _read(socket: WebSocket, connection: Connection, transport: AsgiTransport) -> None:
    """Read frames from a server that offers no raw socket. Text and binary are equivalent."""
    try:
        while True:
            await transport.may_read()
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if connection.is_over:
                continue  # it is being closed: later frames do not count
            text = message.get("text")
            payload = message["bytes"] if text is None else text.encode("utf-8", "surrogatepass")
            if len(payload) > connection.deps.settings.max_frame_bytes:
                connection.frame_too_large()
            else:
                connection.message_received(payload, text is not None)
    except (WebSocketDisconnect, RuntimeError):
        return  # it was closed while this waited


def _endpoint(socket: WebSocket) -> SocketEndpoint:
    endpoint: SocketEndpoint = socket.app.state.runtime.socket_endpoint
    return endpoint


async def _one_room(socket: WebSocket) -> None:
    """Serve `/ws/chat/{room_id}`: connecting joins the room."""
    await _endpoint(socket).serve(socket, socket.path_params["room_id"])


async def _many_rooms(socket: WebSocket) -> None:
    """Serve `/ws`: every command names its room."""
    await _endpoint(socket).serve(socket, None)


async def _no_socket(socket: WebSocket) -> None:
    """Serve every other address: a handshake that is refused with a status looks like a broken connection."""
    await _endpoint(socket).refuse(socket, NoSocketHere())


# Plain routes that are matched first: FastAPI has no dependencies to resolve, and thousands may connect at once.
ROUTES = [
    WebSocketRoute("/ws/chat/{room_id}", _one_room),
    WebSocketRoute("/ws", _many_rooms),
    WebSocketRoute("/{path:path}", _no_socket),
]
