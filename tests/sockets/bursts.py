"""Many people who talk as fast as they can, until the server is gone; and what is checked afterwards."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import websockets

from tests.support.people import PATIENCE, Frame, Person, Seat, sign_up
from tests.support.server import ChatServer

UNANSWERED = 10
GOODBYE_CODES = {1001, 1012}


@dataclass
class Burst:
    """A room full of senders that are listeners too: what each of them heard, in the order it came."""

    person: Person
    room: int
    seats: list[Seat]
    said: dict[str, int] = field(default_factory=dict)
    """What was sent, and by which of the senders."""
    turns: list[asyncio.Semaphore] = field(init=False)

    def __post_init__(self) -> None:
        self.turns = [asyncio.Semaphore(UNANSWERED) for _ in self.seats]

    @property
    def heard(self) -> list[list[Frame]]:
        return [[frame for frame in seat.heard if frame["type"] == "message"] for seat in self.seats]

    @property
    def promised(self) -> dict[int, str]:
        """Every message that anybody heard or had acknowledged: its number, and what it says."""
        echoed = {frame["id"]: frame["message"] for frames in self.heard for frame in frames}
        acks = [frame for seat in self.seats for frame in seat.heard if frame["type"] == "ack"]
        return echoed | {frame["id"]: frame["client_id"] for frame in acks}

    async def talk(self, sender: int, count: int) -> None:
        """Say this many different things, with few of them unanswered."""
        with contextlib.suppress(websockets.ConnectionClosed, TimeoutError):
            for number in range(count):
                await asyncio.wait_for(self.turns[sender].acquire(), PATIENCE)
                word = f"sender {sender} says {number}"
                self.said[word] = sender
                await self.seats[sender].says(word, client_id=word)

    async def listen(self, sender: int) -> None:
        """Hear everything until the connection ends."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                if (await self.seats[sender].next())["type"] == "ack":
                    self.turns[sender].release()

    async def until_all_have_heard(self, count: int) -> None:
        async with asyncio.timeout(30):
            while any(len(frames) < count for frames in self.heard):
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def burst(server: ChatServer, senders: int) -> AsyncIterator[Burst]:
    """Seats in one new room; their owner signs in once, and they differ by what they say."""
    person = await sign_up(server, "speaker")
    room = (await person.http.post("/api/rooms", json={"name": "Burst"})).json()["id"]
    async with contextlib.AsyncExitStack() as stack:
        seats = [await stack.enter_async_context(person.enters(room)) for _ in range(senders)]
        yield Burst(person, room, seats)
    await person.http.aclose()


async def whole_history(person: Person, room: int) -> list[Frame]:
    """All messages of a room, page by page."""
    found: list[Frame] = []
    while page := await person.history(room, after=found[-1]["id"] if found else 0, limit=200):
        found += page
    return found


def assert_nothing_is_lost(talk: Burst, history: list[Frame]) -> None:
    """Every promise is in the history, once; no number is missing; all heard one order."""
    stored = {message["id"]: message["message"] for message in history}
    assert list(stored) == list(range(1, len(history) + 1)), "numbers without gaps, each once"
    assert len(set(stored.values())) == len(stored), "nothing is there twice"
    assert set(stored.values()) <= set(talk.said), "nothing is there that nobody said"
    assert talk.promised.items() <= stored.items(), (
        "what was echoed or acknowledged is there, under its number"
    )
    for frames in talk.heard:
        ids = [frame["id"] for frame in frames]
        assert ids == list(range(ids[0], ids[0] + len(ids))) if ids else True, "the same order for everyone"
    for sender in range(len(talk.seats)):
        own = [word for word in stored.values() if talk.said[word] == sender]
        assert own == [word for word, who in talk.said.items() if who == sender][: len(own)], (
            "in the order it was said"
        )
