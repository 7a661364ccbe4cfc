"""One socket of a client: commands out, answers matched to them, events handed to the follower."""

import asyncio
import itertools
import json
import random
import socket

import websockets
from websockets.asyncio.client import ClientConnection

from tests.reliability.follower import Follower
from tests.reliability.history import Operation
from tests.reliability.replica import Event
from tests.reliability.rest import Lost
from tests.reliability.world import World

PATIENCE = 20.0
"""Seconds after which an answer that has not come on an open connection is missing."""
RECEIVE_BUFFER = 16_384
"""So that a client that does not read is soon noticed."""
GONE = (Lost, OSError, websockets.WebSocketException, TimeoutError, EOFError)
EXPECTED_CLOSE = frozenset({1000, 1001, 1005, 1006, 1012, 4408, None})


class Line:
    """An open socket. Everything that waits raises Lost once it is closed."""

    def __init__(
        self, peer: ClientConnection, home: int | None, world: World, follower: Follower, rng: random.Random
    ) -> None:
        self.home = home
        """The room of `/ws/chat/{room_id}`; None on `/ws`."""
        self.reading = asyncio.Event()
        """Cleared while the client stalls."""
        self.reading.set()
        self._peer = peer
        self._world = world
        self._follower = follower
        self._rng = rng
        self._refs = itertools.count(1)
        self._answers: dict[int, tuple[asyncio.Future[Event], Operation | None]] = {}
        self._loads: set[asyncio.Task[None]] = set()
        self._reader = asyncio.create_task(self._read())

    # Where it is

    @property
    def is_open(self) -> bool:
        return not self._reader.done()

    @property
    def rooms(self) -> list[int]:
        """The rooms that are listened to."""
        return list(self._follower.streams)

    def any_room(self) -> int:
        return self._rng.choice(self.rooms or [self.home or self._world.rooms[0]])

    def numbers(self, room: int) -> list[int]:
        """The messages that one knows of."""
        return list(self._follower.replicas[room].messages)

    async def subscribe(self, room: int) -> None:
        since = self._follower.opens(room)
        await self.ask({"type": "subscribe", "room_id": room, "since": since})

    async def unsubscribe(self, room: int) -> None:
        await self.ask({"type": "unsubscribe", "room_id": room})
        self._follower.closes(room)

    # Out

    async def write(self, frame: str | bytes) -> None:
        try:
            await self._peer.send(frame)
        except GONE as error:
            raise Lost from error

    async def send(self, command: Event) -> None:
        """Text and binary frames are equal."""
        text = json.dumps(command, ensure_ascii=self._rng.random() < 0.5)
        await self.write(text.encode() if self._rng.random() < 0.3 else text)

    async def post(self, command: Event, operation: Operation | None = None) -> asyncio.Future[Event]:
        """Send a command; the future is its answer."""
        ref = next(self._refs)
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        if operation is not None and (self.home != operation.room or self._rng.random() < 0.5):
            command = {**command, "room_id": operation.room}
        self._answers[ref] = answer, operation
        if not self.is_open:
            self._give_up()
        await self.send({**command, "ref": ref})
        return answer

    async def ask(self, command: Event, operation: Operation | None = None) -> Event:
        return await self.wait(await self.post(command, operation))

    async def wait(self, answer: asyncio.Future[Event]) -> Event:
        try:
            return await asyncio.wait_for(asyncio.shield(answer), PATIENCE)
        except TimeoutError:
            self._world.complain(f"no answer within {PATIENCE} s")
            raise Lost from None

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._peer.transport.abort()

    async def close(self) -> None:
        """Stop, whether it is still open or not; afterwards nothing is waiting any more."""
        self.reading.set()
        await self._peer.close()
        await asyncio.wait([self._reader, *self._loads])

    # In

    async def _read(self) -> None:
        try:
            while True:
                text = await self._peer.recv()
                await self.reading.wait()
                self._take(json.loads(text), text)
        except GONE:
            pass
        except Exception as error:  # noqa: BLE001 - a frame that the client cannot bear is a finding
            self._world.complain(f"a frame broke the client: {error!r}")
            self.abort()
        self._ended()

    def _take(self, event: Event, text: str | bytes) -> None:
        self._world.checks(event)
        match event["type"]:
            case "synced":
                if self._follower.syncs(event):
                    self._load(event["room_id"])
            case "error" if event["code"] == "error":
                self._world.complain(f"an internal error: {event}")
            case "ready" | "ack" | "pong" | "error" | "goodbye":
                pass
            case _:
                self._follower.takes(event, text)
        if event.get("ref") is not None:
            self._answer(event)

    def _answer(self, event: Event) -> None:
        if event["ref"] not in self._answers:
            self._world.complain(f"an answer to nothing, or a second one: {event}")
            return
        answer, operation = self._answers.pop(event["ref"])
        if operation is not None:
            _settle(operation, event)
            self._world.answered(operation)
        answer.set_result(event)

    def _load(self, room: int) -> None:
        async def load() -> None:
            if not await self._follower.load(room):
                self.abort()

        task = asyncio.create_task(load())
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)

    def _ended(self) -> None:
        code = self._peer.close_code
        self._world.count(f"closed with {code}")
        if code not in EXPECTED_CLOSE:
            self._world.complain(f"closed with {code} {self._peer.close_reason}")
        self._follower.lost()
        self._give_up()

    def _give_up(self) -> None:
        """What has no answer will have none: it may have happened or not."""
        waiting, self._answers = self._answers, {}
        for answer, operation in waiting.values():
            if operation is not None:
                self._world.answered(operation)
            answer.set_exception(Lost())
            answer.exception()  # nobody may be waiting for it, and that is no error


def _settle(operation: Operation, event: Event) -> None:
    if event["type"] == "error":
        operation.refused(event["code"])
    else:
        operation.done(event["id"], event.get("seq", 0), event.get("duplicate", False))


async def connect(address: str) -> ClientConnection:
    """A socket with a small buffer. Raises what GONE lists."""
    host, port = address.split("/")[2].split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    raw.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(raw, (host, int(port)))
        return await websockets.connect(
            address, sock=raw, compression=None, ping_interval=None, close_timeout=2
        )
    except BaseException:
        raw.close()
        raise
