"""The actions of a client, and its memory of the messages that it may have to send again."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable

from tests.reliability.checked_socket import CheckedSocket
from tests.reliability.history import Kind, Operation
from tests.reliability.replica import Event
from tests.reliability.rest import ConnectionLost, Rest
from tests.reliability.run_state import RunState
from tests.support.emoji import MANY

STALL_SECONDS = 1.5
"""How long a stalled client does not read."""
FLOOD_MESSAGES = 20
"""Together more than the server buffers for a client that does not read."""
GARBAGE = ('{"type":', "[]", '{"type":"dance"}', '{"type":"message","content":""}', b"\xff\xfe", "17")
MAX_SETTLED = 100
"""How many acknowledged messages are remembered, to be sent again."""
Action = Callable[[CheckedSocket], Awaitable[None]]

_emoji = itertools.cycle(MANY)
"""One for each client."""


class Actions:
    def __init__(self, name: str, user: str, state: RunState, rest: Rest, rng: random.Random) -> None:
        self._name = name
        self._user = user
        self._state = state
        self._rest = rest
        self._rng = rng
        self._emoji = next(_emoji)
        self._numbers = itertools.count(1)
        self._attempts: dict[tuple[int, str], list[Operation]] = {}
        """Recent messages with a client id: by room and client id, every attempt to send them."""
        self._weights: dict[Action, int] = {
            self._say: 500,
            self._repeat: 60,
            self._edit: 120,
            self._delete: 40,
            self._react: 120,
            self._read: 80,
            self._type: 30,
            self._send_garbage: 15,
            self._switch_rooms: 20,
            self._check_head: 20,
            self._drop: 15,
            self._stall: 4,
            self._flood: 4,
        }

    async def any(self, socket: CheckedSocket) -> None:
        """Carry out a random action. Raises ConnectionLost if the connection is gone."""
        if not socket.is_open:
            raise ConnectionLost
        [action] = self._rng.choices(list(self._weights), list(self._weights.values()))
        await action(socket)

    async def resend_unanswered(self, socket: CheckedSocket) -> None:
        """Send every message again that may have been lost with the connection."""
        for attempts in list(self._attempts.values()):
            if not any(one.outcome == "done" for one in attempts):
                self._state.count("resent")
                _ = await self._send(socket, self._again(attempts))

    # Sending messages

    async def _say(self, socket: CheckedSocket) -> None:
        operation = self._message(socket, f"{self._name}.{next(self._numbers)}")
        if self._rng.random() < 0.2:
            await self._do_over_rest(operation)
            return
        answer = await self._send(socket, operation)
        if self._rng.random() < 0.3:
            await socket.wait(answer)

    async def _repeat(self, socket: CheckedSocket) -> None:
        """Send an earlier message again, over the socket or over socket and REST at once."""
        if not self._attempts:
            return
        attempts = self._rng.choice(list(self._attempts.values()))
        answer = await self._send(socket, self._again(attempts))
        if self._rng.random() < 0.3:
            await self._do_over_rest(self._again(attempts))
        await socket.wait(answer)

    async def _flood(self, socket: CheckedSocket) -> None:
        for _ in range(FLOOD_MESSAGES):
            text = f"{self._name}.{next(self._numbers)} " + "A" * 7000
            _ = await self._send(socket, self._message(socket, text))

    def _message(self, socket: CheckedSocket, text: str) -> Operation:
        client_id = f"{text[:40]}/{self._name}" if self._rng.random() < 0.7 else None
        operation = self._begin(socket.any_room(), "message", text, client_id=client_id)
        if client_id is not None:
            self._attempts[operation.room, client_id] = [operation]
            settled = [key for key, known in self._attempts.items() if known[0].outcome == "done"]
            if len(settled) > MAX_SETTLED:
                del self._attempts[settled[0]]
        return operation

    def _again(self, attempts: list[Operation]) -> Operation:
        first = attempts[0]
        operation = self._begin(first.room, "message", first.text, client_id=first.client_id)
        attempts.append(operation)
        return operation

    async def _send(self, socket: CheckedSocket, operation: Operation) -> asyncio.Future[Event]:
        command = {"type": "message", "content": operation.text}
        if operation.client_id is not None:
            command["client_id"] = operation.client_id
        return await socket.post(command, operation)

    # Changing messages

    async def _edit(self, socket: CheckedSocket) -> None:
        if message := self._own_message(socket):
            room, number, text = message
            edit = self._begin(room, "edit", f"{text} → {self._name}.{next(self._numbers)}", target=number)
            await self._change(socket, edit, {"type": "message.edit", "id": number, "content": edit.text})

    async def _delete(self, socket: CheckedSocket) -> None:
        if message := self._own_message(socket):
            room, number, _ = message
            deletion = self._begin(room, "delete", target=number)
            await self._change(socket, deletion, {"type": "message.delete", "id": number})

    async def _change(self, socket: CheckedSocket, operation: Operation, command: Event) -> None:
        self._state.count("changed")
        if operation.kind in ("edit", "delete") and self._rng.random() < 0.3:
            await self._do_over_rest(operation)
        else:
            await socket.ask(command, operation)

    def _own_message(self, socket: CheckedSocket) -> tuple[int, int, str] | None:
        """Room, id and text of a recent message of this client's user."""
        room = socket.any_room()
        own = list(self._state.own[self._user, room].items())[-30:]
        return (room, *self._rng.choice(own)) if own else None

    async def _react(self, socket: CheckedSocket) -> None:
        room = socket.any_room()
        if ids := socket.message_ids(room):
            number, kind = self._rng.choice(ids[-20:]), self._rng.choice(("add", "add", "remove"))
            operation = self._begin(room, "add" if kind == "add" else "remove", self._emoji, target=number)
            command = {"type": f"reaction.{kind}", "id": number, "emoji": self._emoji}
            await self._change(socket, operation, command)

    async def _read(self, socket: CheckedSocket) -> None:
        room = socket.any_room()
        if ids := socket.message_ids(room):
            number = self._rng.choice(ids)
            operation = self._begin(room, "read", target=number)
            await socket.ask({"type": "read", "id": number}, operation)

    # Everything else

    async def _type(self, socket: CheckedSocket) -> None:
        await socket.send({"type": "typing", "room_id": socket.any_room()})

    async def _send_garbage(self, socket: CheckedSocket) -> None:
        """Send an invalid command: it gets an error, and the connection stays open."""
        await socket.write(self._rng.choice(GARBAGE))
        await socket.ask({"type": "ping"})

    async def _switch_rooms(self, socket: CheckedSocket) -> None:
        """Unsubscribe from a room for a while, or subscribe to one more."""
        room = self._rng.choice(self._state.rooms)
        if socket.default_room is None and room not in socket.rooms:
            await socket.subscribe(room)
        elif socket.default_room is None and len(socket.rooms) > 1:
            await socket.unsubscribe(room)

    async def _check_head(self, socket: CheckedSocket) -> None:
        """Check that REST shows every change that a client has been told of."""
        room = socket.any_room()
        known = self._state.heads[room]
        found = await self._rest.room(room)
        if found["last_seq"] < known:
            self._state.complain(f"room {room} is at {found['last_seq']}, but {known} was known")

    async def _drop(self, socket: CheckedSocket) -> None:
        self._state.count("dropped")
        if self._rng.random() < 0.7:
            socket.abort()
        raise ConnectionLost

    async def _stall(self, socket: CheckedSocket) -> None:
        self._state.count("stalled")
        socket.reading.clear()
        await asyncio.sleep(STALL_SECONDS)
        socket.reading.set()

    def _begin(
        self, room: int, kind: Kind, text: str = "", client_id: str | None = None, target: int | None = None
    ) -> Operation:
        return self._state.started(Operation(self._name, self._user, room, kind, text, client_id, target))

    async def _do_over_rest(self, operation: Operation) -> None:
        try:
            await self._rest.do(operation)
        finally:
            self._state.answered(operation)
