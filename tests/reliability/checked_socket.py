"""One socket of a client: sends commands, matches answers to them, checks every frame and feeds the follower."""

import asyncio
import itertools
import json
import random
import socket
import time

import websockets
from websockets.asyncio.client import ClientConnection

from tests.reliability.follower import Follower
from tests.reliability.history import Operation
from tests.reliability.replica import Event
from tests.reliability.rest import ConnectionLost
from tests.reliability.run_state import RunState

ANSWER_SECONDS = 20.0
"""After this time without an answer on an open connection, the answer counts as missing."""
RECEIVE_BUFFER = 16_384
"""Small, so that the server soon notices a client that does not read."""
DISCONNECTED = (ConnectionLost, OSError, websockets.WebSocketException, TimeoutError, EOFError)
EXPECTED_CLOSE = frozenset({1000, 1001, 1005, 1006, 1012, 4408, None})


class CheckedSocket:
    """An open socket. Every method that waits raises ConnectionLost once it is closed."""

    def __init__(
        self,
        peer: ClientConnection,
        default_room: int | None,
        state: RunState,
        follower: Follower,
        rng: random.Random,
    ) -> None:
        self.default_room = default_room
        """The room of `/ws/chat/{room_id}`; None on `/ws`."""
        self.reading = asyncio.Event()
        """Cleared while the client stalls."""
        self.reading.set()
        self._peer = peer
        self._state = state
        self._follower = follower
        self._rng = rng
        self._refs = itertools.count(1)
        self._answers: dict[int, tuple[asyncio.Future[Event], Operation | None, float]] = {}
        """With the time at which each command was sent."""
        self._loads: set[asyncio.Task[None]] = set()
        self._reader = asyncio.create_task(self._read())

    def __repr__(self) -> str:
        """The state of the socket, for a report of what went wrong."""
        state = {
            "default_room": self.default_room,
            "is_open": self.is_open,
            "is_reading": self.reading.is_set(),
            "rooms": self.rooms,
            "answers": len(self._answers),
            "loads": len(self._loads),
        }
        return f"{type(self).__name__}({state})"

    # Rooms

    @property
    def is_open(self) -> bool:
        return not self._reader.done()

    @property
    def rooms(self) -> list[int]:
        """The rooms that the client listens to."""
        return list(self._follower.streams)

    def any_room(self) -> int:
        return self._rng.choice(self.rooms or [self.default_room or self._state.rooms[0]])

    def message_ids(self, room: int) -> list[int]:
        """The ids of the messages in the client's replica."""
        return list(self._follower.replicas[room].messages)

    async def subscribe(self, room: int) -> None:
        """Subscribe. Raises ConnectionLost, as for a lost connection, if the server asks to try again."""
        since = self._follower.open(room)
        epoch = self._follower.epochs.get(room)
        answer = await self.ask({"type": "subscribe", "room_id": room, "since": since, "epoch": epoch})
        if answer["type"] == "error":
            self._follower.close(room)
            self._state.count(f"subscribe refused with {answer['code']}")
            raise ConnectionLost

    async def unsubscribe(self, room: int) -> None:
        await self.ask({"type": "unsubscribe", "room_id": room})
        self._follower.close(room)

    # Sending

    async def write(self, frame: str | bytes) -> None:
        try:
            await self._peer.send(frame)
        except DISCONNECTED as error:
            raise ConnectionLost from error

    async def send(self, command: Event) -> None:
        """Send a command in a text or binary frame: the server treats both the same."""
        text = json.dumps(command, ensure_ascii=self._rng.random() < 0.5)
        await self.write(text.encode() if self._rng.random() < 0.3 else text)

    async def post(self, command: Event, operation: Operation | None = None) -> asyncio.Future[Event]:
        """Send a command. Returns a future of its answer."""
        ref = next(self._refs)
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        if operation is not None and (self.default_room != operation.room or self._rng.random() < 0.5):
            command = {**command, "room_id": operation.room}
        self._answers[ref] = answer, operation, time.monotonic()
        if not self.is_open:
            self._fail_pending()
        await self.send({**command, "ref": ref})
        return answer

    async def ask(self, command: Event, operation: Operation | None = None) -> Event:
        return await self.wait(await self.post(command, operation))

    async def wait(self, answer: asyncio.Future[Event]) -> Event:
        try:
            return await asyncio.wait_for(asyncio.shield(answer), ANSWER_SECONDS)
        except TimeoutError:
            self._state.complain(f"no answer within {ANSWER_SECONDS} s")
            raise ConnectionLost from None

    def abort(self) -> None:
        """Cut the connection without a close frame."""
        self._peer.transport.abort()

    async def close(self) -> None:
        """Close the socket, if it is still open, and wait for its tasks to end."""
        self.reading.set()
        await self._peer.close()
        await asyncio.wait([self._reader, *self._loads])

    # Receiving

    async def _read(self) -> None:
        try:
            while True:
                text = await self._peer.recv()
                await self.reading.wait()
                self._receive(json.loads(text), text)
        except DISCONNECTED:
            pass
        except Exception as error:  # noqa: BLE001 - a frame that the client cannot process is a finding
            self._state.complain(f"a frame broke the client: {error!r}")
            self.abort()
        self._connection_lost()

    def _receive(self, event: Event, text: str | bytes) -> None:
        self._state.check(event)
        match event["type"]:
            case "synced":
                if self._follower.sync(event):
                    self._load(event["room_id"])
            case "error" if event["code"] == "error":
                self._state.complain(f"an internal error: {event}")
            case "ready" | "ack" | "pong" | "error" | "goodbye":
                pass
            case _:
                self._follower.receive(event, text)
        if event.get("ref") is not None:
            self._resolve(event)

    def _resolve(self, event: Event) -> None:
        if event["ref"] not in self._answers:
            self._state.complain(f"an answer to an unknown ref, or a second answer: {event}")
            return
        answer, operation, sent_at = self._answers.pop(event["ref"])
        history = self._state.history
        history.longest_answer = max(history.longest_answer, time.monotonic() - sent_at)
        if operation is not None:
            _settle(operation, event)
            self._state.answered(operation)
        answer.set_result(event)

    def _load(self, room: int) -> None:
        async def load() -> None:
            if not await self._follower.load(room):
                self.abort()

        task = asyncio.create_task(load())
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)

    def _connection_lost(self) -> None:
        code = self._peer.close_code
        self._state.count(f"closed with {code}")
        if code not in EXPECTED_CLOSE:
            self._state.complain(f"closed with {code} {self._peer.close_reason}")
        self._follower.connection_lost()
        self._fail_pending()

    def _fail_pending(self) -> None:
        """Commands without an answer will get none: they may have been executed or not."""
        pending, self._answers = self._answers, {}
        for answer, operation, _ in pending.values():
            if operation is not None:
                self._state.answered(operation)
            answer.set_exception(ConnectionLost())
            answer.exception()  # mark it as retrieved: it may have no waiter


def _settle(operation: Operation, event: Event) -> None:
    if event["type"] == "error":
        operation.refused(event["code"])
    else:
        operation.done(event["id"], event.get("seq", 0), event.get("duplicate", False))


async def connect(address: str) -> ClientConnection:
    """Open a socket with a small receive buffer. Raises the errors in DISCONNECTED."""
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
