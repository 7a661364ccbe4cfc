"""What a client can do, and how it remembers what it has to do again."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable

from tests.reliability.history import Kind, Operation
from tests.reliability.line import Line
from tests.reliability.replica import Event
from tests.reliability.rest import Lost, Rest
from tests.reliability.world import World

STALL = 1.5
"""Seconds that a client does not read."""
LOUD = 20
"""Messages of a shout: together more than the server keeps for somebody who does not read."""
GARBAGE = ('{"type":', "[]", '{"type":"dance"}', '{"type":"message","content":""}', b"\xff\xfe", "17")
REMEMBERED = 100
Action = Callable[[Line], Awaitable[None]]


class Actions:
    def __init__(self, name: str, user: str, world: World, rest: Rest, rng: random.Random) -> None:
        self._name = name
        self._user = user
        self._world = world
        self._rest = rest
        self._rng = rng
        self._emoji = f"#{name}"
        self._numbers = itertools.count(1)
        self._attempts: dict[tuple[int, str], list[Operation]] = {}
        """The messages sent lately that can be recognised, and all attempts to send them."""
        self._weights: dict[Action, int] = {
            self._say: 500,
            self._repeat: 60,
            self._edit: 120,
            self._delete: 40,
            self._react: 120,
            self._read: 80,
            self._type: 30,
            self._babble: 15,
            self._switch: 20,
            self._look: 20,
            self._drop: 15,
            self._stall: 4,
            self._shout: 4,
        }

    async def any(self, line: Line) -> None:
        """Do something. Raises Lost when that shows that the connection is gone."""
        if not line.is_open:
            raise Lost
        [action] = self._rng.choices(list(self._weights), list(self._weights.values()))
        await action(line)

    async def repeat_unsure(self, line: Line) -> None:
        """Send again what may have been lost with the connection."""
        for attempts in list(self._attempts.values()):
            if all(one.outcome == "unknown" for one in attempts):
                self._world.count("resent")
                _ = await self._send(line, self._again(attempts))

    # Saying

    async def _say(self, line: Line) -> None:
        operation = self._message(line, f"{self._name}.{next(self._numbers)}")
        if self._rng.random() < 0.2:
            await self._rest_do(operation)
            return
        answer = await self._send(line, operation)
        if self._rng.random() < 0.3:
            await line.wait(answer)

    async def _repeat(self, line: Line) -> None:
        """Send something again that was sent before: once, or over both ways at once."""
        if not self._attempts:
            return
        attempts = self._rng.choice(list(self._attempts.values()))
        answer = await self._send(line, self._again(attempts))
        if self._rng.random() < 0.3:
            await self._rest_do(self._again(attempts))
        await line.wait(answer)

    async def _shout(self, line: Line) -> None:
        for _ in range(LOUD):
            loud = f"{self._name}.{next(self._numbers)} " + "A" * 7000
            _ = await self._send(line, self._message(line, loud))

    def _message(self, line: Line, text: str) -> Operation:
        client_id = f"{text[:40]}/{self._name}" if self._rng.random() < 0.7 else None
        operation = self._begin(line.any_room(), "message", text, client_id=client_id)
        if client_id is not None:
            self._attempts[operation.room, client_id] = [operation]
            done = [key for key, known in self._attempts.items() if known[0].outcome == "done"]
            if len(done) > REMEMBERED:
                del self._attempts[done[0]]
        return operation

    def _again(self, attempts: list[Operation]) -> Operation:
        first = attempts[0]
        operation = self._begin(first.room, "message", first.text, client_id=first.client_id)
        attempts.append(operation)
        return operation

    async def _send(self, line: Line, operation: Operation) -> asyncio.Future[Event]:
        command = {"type": "message", "content": operation.text}
        if operation.client_id is not None:
            command["client_id"] = operation.client_id
        return await line.post(command, operation)

    # Changing

    async def _edit(self, line: Line) -> None:
        if mine := self._mine(line):
            room, number, text = mine
            edit = self._begin(room, "edit", f"{text} → {self._name}.{next(self._numbers)}", target=number)
            await self._change(line, edit, {"type": "message.edit", "id": number, "content": edit.text})

    async def _delete(self, line: Line) -> None:
        if mine := self._mine(line):
            room, number, _ = mine
            deletion = self._begin(room, "delete", target=number)
            await self._change(line, deletion, {"type": "message.delete", "id": number})

    async def _change(self, line: Line, operation: Operation, command: Event) -> None:
        self._world.count("changed")
        if operation.kind in ("edit", "delete") and self._rng.random() < 0.3:
            await self._rest_do(operation)
        else:
            await line.ask(command, operation)

    def _mine(self, line: Line) -> tuple[int, int, str] | None:
        room = line.any_room()
        own = list(self._world.own[self._user, room].items())[-30:]
        return (room, *self._rng.choice(own)) if own else None

    async def _react(self, line: Line) -> None:
        room = line.any_room()
        if numbers := line.numbers(room):
            number, kind = self._rng.choice(numbers[-20:]), self._rng.choice(("add", "add", "remove"))
            operation = self._begin(room, "add" if kind == "add" else "remove", self._emoji, target=number)
            command = {"type": f"reaction.{kind}", "id": number, "emoji": self._emoji}
            await self._change(line, operation, command)

    async def _read(self, line: Line) -> None:
        room = line.any_room()
        if numbers := line.numbers(room):
            number = self._rng.choice(numbers)
            operation = self._begin(room, "read", target=number)
            await line.ask({"type": "read", "id": number}, operation)

    # Everything else

    async def _type(self, line: Line) -> None:
        await line.send({"type": "typing", "room_id": line.any_room()})

    async def _babble(self, line: Line) -> None:
        """Something that is no command: it gets an error, and the connection stays."""
        await line.write(self._rng.choice(GARBAGE))
        await line.ask({"type": "ping"})

    async def _switch(self, line: Line) -> None:
        """Leave a room for a while, or listen to one more."""
        room = self._rng.choice(self._world.rooms)
        if line.home is None and room not in line.rooms:
            await line.subscribe(room)
        elif line.home is None and len(line.rooms) > 1:
            await line.unsubscribe(room)

    async def _look(self, line: Line) -> None:
        """What anyone was told of is there for whoever looks."""
        room = line.any_room()
        known = self._world.heads[room]
        found = await self._rest.room(room)
        if found["last_seq"] < known:
            self._world.complain(f"room {room} stands at {found['last_seq']}, and {known} was known")

    async def _drop(self, line: Line) -> None:
        self._world.count("dropped")
        if self._rng.random() < 0.7:
            line.abort()
        raise Lost

    async def _stall(self, line: Line) -> None:
        self._world.count("stalled")
        line.reading.clear()
        await asyncio.sleep(STALL)
        line.reading.set()

    def _begin(
        self, room: int, kind: Kind, text: str = "", client_id: str | None = None, target: int | None = None
    ) -> Operation:
        return self._world.began(Operation(self._name, self._user, room, kind, text, client_id, target))

    async def _rest_do(self, operation: Operation) -> None:
        try:
            await self._rest.do(operation)
        finally:
            self._world.answered(operation)
