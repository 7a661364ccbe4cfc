"""Clients that do as people and their phones do: talk, change their minds, vanish, come back, never quite behave."""

import asyncio
import random

from tests.reliability.actions import Actions
from tests.reliability.follower import Follower
from tests.reliability.line import GONE, Line, connect
from tests.reliability.rest import Lost, Rest
from tests.reliability.world import Account, World

BACK_AFTER = 0.1


class Client:
    """A device of a user. What it does follows from its seed and from what the server answers."""

    def __init__(self, name: str, account: Account, world: World, seed: str, pause: float) -> None:
        self.name = name
        self.rest = Rest(world, account)
        self.account = account
        self._world = world
        self._pause = pause
        self._rng = random.Random(seed)
        self.follower = Follower(name, world, self.rest, self._rng)
        self._actions = Actions(name, account.name, world, self.rest, self._rng)
        self._line: Line | None = None

    async def live(self) -> None:
        """Connect, behave, and come back whenever the connection is lost, until the run is over."""
        while not self._world.stopping:
            try:
                line = await self._arrive()
                await self._actions.repeat_unsure(line)
                while not self._world.stopping:
                    await self._actions.any(line)
                    await asyncio.sleep(self._rng.expovariate(1 / self._pause))
            except GONE:
                await self._leave()
                await asyncio.sleep(self._rng.random() * BACK_AFTER)
        if self._rng.random() < 0.5:  # the others are still there at the end
            await self._leave()

    async def settle(self, heads: dict[int, int], deadline: float) -> None:
        """Be there until everything has come. `deadline` is the loop's time."""
        while behind := [
            room for room, head in heads.items() if self.follower.replicas[room].position < head
        ]:
            if asyncio.get_running_loop().time() > deadline:
                self._world.complain(f"{self.name} never caught up with rooms {behind}")
                return
            try:
                if self._line is None or not self._line.is_open or behind[0] not in self.follower.streams:
                    await self._leave()
                    await self._arrive(behind)
            except GONE:
                await self._leave()
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        await self._leave()
        await self.rest.close()

    async def _arrive(self, rooms: list[int] | None = None) -> Line:
        """Come back to one room or to several, from where the replicas stand. Raises what GONE lists."""
        if self._rng.random() < 0.5:
            return await self._enter(self._rng.choice(rooms or self._world.rooms))
        line = await self._connect("/ws?", home=None)
        some = rooms or self._rng.sample(self._world.rooms, self._rng.randint(1, len(self._world.rooms)))
        for room in some:
            await line.subscribe(room)
        return line

    async def _enter(self, room: int) -> Line:
        since = self.follower.opens(room)
        try:
            return await self._connect(f"/ws/chat/{room}?since={since}&", home=room)
        except GONE:
            self.follower.closes(room)
            raise

    async def _connect(self, path: str, home: int | None) -> Line:
        peer = await connect(f"{self._world.server.ws}{path}token={self.account.token}")
        self._line = Line(peer, home, self._world, self.follower, self._rng)
        return self._line

    async def _leave(self) -> None:
        if self._line is not None:
            line, self._line = self._line, None
            await line.close()


class Poller:
    """A bot without a socket: it follows the rooms over `GET …/changes`, in small bites."""

    def __init__(self, name: str, account: Account, world: World, seed: str) -> None:
        self.account = account
        self.rest = Rest(world, account)
        self.follower = Follower(name, world, self.rest, random.Random(seed))
        self._rng = random.Random(seed)
        self._world = world

    async def live(self) -> None:
        while not self._world.stopping:
            await self._look(self._rng.choice(self._world.rooms))
            await asyncio.sleep(self._rng.random() * 0.5)

    async def settle(self, heads: dict[int, int], deadline: float) -> None:
        for room, head in heads.items():
            while (
                self.follower.replicas[room].position < head and asyncio.get_running_loop().time() < deadline
            ):
                await self._look(room)

    async def close(self) -> None:
        await self.rest.close()

    async def _look(self, room: int) -> None:
        replica = self.follower.replicas[room]
        try:
            async for events, position in self.rest.changes(room, replica.position, self._rng.randint(1, 40)):
                for event in events:
                    replica.apply(event)
                replica.position = position
        except Lost:
            await asyncio.sleep(BACK_AFTER)
