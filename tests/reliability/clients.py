"""Clients that behave like people and their phones: they send, edit, delete, disconnect, reconnect and misbehave."""

import asyncio
import random

from tests.reliability.actions import Actions
from tests.reliability.checked_socket import DISCONNECTED, CheckedSocket, connect
from tests.reliability.follower import Follower
from tests.reliability.rest import ConnectionLost, Rest
from tests.reliability.run_state import Account, RunState

RECONNECT_SECONDS = 0.1
"""The longest pause before a client reconnects."""


class Client:
    """A device of a user. Its actions depend on its seed and on the answers of the server."""

    def __init__(self, name: str, account: Account, state: RunState, seed: str, pause: float) -> None:
        self.name = name
        self.rest = Rest(state, account)
        self.account = account
        self._state = state
        self._pause = pause
        self._rng = random.Random(seed)
        self.follower = Follower(name, state, self.rest, self._rng)
        self._actions = Actions(name, account.name, state, self.rest, self._rng)
        self._socket: CheckedSocket | None = None

    async def live(self) -> None:
        """Connect and act at random, and reconnect whenever the connection is lost, until the run is over."""
        while not self._state.stopping:
            try:
                socket = await self._reconnect()
                await self._actions.resend_unanswered(socket)
                while not self._state.stopping:
                    await self._actions.any(socket)
                    await asyncio.sleep(self._rng.expovariate(1 / self._pause))
            except DISCONNECTED:
                await self._disconnect()
                await asyncio.sleep(self._rng.random() * RECONNECT_SECONDS)
        if self._rng.random() < 0.5:  # the other clients stay connected until the end
            await self._disconnect()

    async def settle(self, heads: dict[int, int], deadline: float) -> None:
        """Stay connected until every room is caught up. `deadline` is a time of the event loop."""
        while behind := [
            room for room, head in heads.items() if self.follower.replicas[room].position < head
        ]:
            if asyncio.get_running_loop().time() > deadline:
                self._state.complain(f"{self.name} never caught up with rooms {behind}: {self._socket}")
                return
            try:
                if self._socket is None or not self._socket.is_open or behind[0] not in self.follower.streams:
                    await self._disconnect()
                    await self._reconnect(behind)
            except DISCONNECTED:
                await self._disconnect()
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        await self._disconnect()
        await self.rest.close()

    async def _reconnect(self, rooms: list[int] | None = None) -> CheckedSocket:
        """Connect to one room or to several, from the positions of the replicas. Raises the errors in DISCONNECTED."""
        if self._rng.random() < 0.5:
            return await self._enter(self._rng.choice(rooms or self._state.rooms))
        socket = await self._connect("/ws?", default_room=None)
        chosen = rooms or self._rng.sample(self._state.rooms, self._rng.randint(1, len(self._state.rooms)))
        for room in chosen:
            await socket.subscribe(room)
        return socket

    async def _enter(self, room: int) -> CheckedSocket:
        since = self.follower.open(room)
        try:
            epoch = f"epoch={self.follower.epochs[room]}&" if room in self.follower.epochs else ""
            return await self._connect(f"/ws/chat/{room}?since={since}&{epoch}", default_room=room)
        except DISCONNECTED:
            self.follower.close(room)
            raise

    async def _connect(self, path: str, default_room: int | None) -> CheckedSocket:
        peer = await connect(f"{self._state.server.ws}{path}token={self.account.token}")
        self._socket = CheckedSocket(peer, default_room, self._state, self.follower, self._rng)
        return self._socket

    async def _disconnect(self) -> None:
        if self._socket is not None:
            socket, self._socket = self._socket, None
            await socket.close()


class Poller:
    """A bot without a socket: it follows the rooms over `GET …/changes`, in small pages."""

    def __init__(self, name: str, account: Account, state: RunState, seed: str) -> None:
        self.account = account
        self.rest = Rest(state, account)
        self.follower = Follower(name, state, self.rest, random.Random(seed))
        self._rng = random.Random(seed)
        self._state = state

    async def live(self) -> None:
        while not self._state.stopping:
            await self._poll(self._rng.choice(self._state.rooms))
            await asyncio.sleep(self._rng.random() * 0.5)

    async def settle(self, heads: dict[int, int], deadline: float) -> None:
        for room, head in heads.items():
            while (
                self.follower.replicas[room].position < head and asyncio.get_running_loop().time() < deadline
            ):
                await self._poll(room)

    async def close(self) -> None:
        await self.rest.close()

    async def _poll(self, room: int) -> None:
        replica = self.follower.replicas[room]
        try:
            async for events, position in self.rest.changes(room, replica.position, self._rng.randint(1, 40)):
                for event in events:
                    replica.apply(event)
                replica.position = position
        except ConnectionLost:
            await asyncio.sleep(RECONNECT_SECONDS)
