"""Many senders that write as fast as they can until the server is gone, and the checks made afterwards."""

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
    """A room full of senders that listen as well: the frames each of them heard, in the order of their arrival."""

    person: Person
    room: int
    seats: list[Seat]
    sent: dict[str, int] = field(default_factory=dict)
    """The sender of each message content."""
    slots: list[asyncio.Semaphore] = field(init=False)
    """For each sender, how many more messages it may leave unanswered."""

    def __post_init__(self) -> None:
        self.slots = [asyncio.Semaphore(UNANSWERED) for _ in self.seats]

    @property
    def heard(self) -> list[list[Frame]]:
        return [[frame for frame in seat.heard if frame["type"] == "message"] for seat in self.seats]

    @property
    def promised(self) -> dict[int, str]:
        """Id and content of every message that a listener heard or a sender got acknowledged."""
        echoed = {frame["id"]: frame["message"] for frames in self.heard for frame in frames}
        acks = [frame for seat in self.seats for frame in seat.heard if frame["type"] == "ack"]
        return echoed | {frame["id"]: frame["client_id"] for frame in acks}

    async def talk(self, sender: int, count: int) -> None:
        """Send this many different messages, with at most UNANSWERED of them awaiting an ack."""
        with contextlib.suppress(websockets.ConnectionClosed, TimeoutError):
            for number in range(count):
                await asyncio.wait_for(self.slots[sender].acquire(), PATIENCE)
                content = f"sender {sender} says {number}"
                self.sent[content] = sender
                await self.seats[sender].says(content, client_id=content)

    async def listen(self, sender: int) -> None:
        """Receive frames until the connection ends."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                if (await self.seats[sender].next())["type"] == "ack":
                    self.slots[sender].release()

    async def until_all_have_heard(self, count: int) -> None:
        """Return when every seat has heard this many messages. Raises TimeoutError."""
        async with asyncio.timeout(30):
            while any(len(frames) < count for frames in self.heard):
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def burst(server: ChatServer, senders: int) -> AsyncIterator[Burst]:
    """Sockets of one user in one new room; each sends different contents."""
    person = await sign_up(server, "sender")
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
    """Every promised message is in the history once; no number is missing; all listeners heard the same order."""
    stored = {message["id"]: message["message"] for message in history}
    assert list(stored) == list(range(1, len(history) + 1)), "ids have a gap or repeat"
    assert len(set(stored.values())) == len(stored), "a message is stored twice"
    assert set(stored.values()) <= set(talk.sent), "a message is stored that was never sent"
    assert talk.promised.items() <= stored.items(), "an echoed or acknowledged message is missing"
    for frames in talk.heard:
        ids = [frame["id"] for frame in frames]
        assert ids == list(range(ids[0], ids[0] + len(ids))) if ids else True, "a listener missed a message"
    for sender in range(len(talk.seats)):
        own = [content for content in stored.values() if talk.sent[content] == sender]
        assert own == [content for content, by in talk.sent.items() if by == sender][: len(own)], (
            "messages of one sender are stored out of order"
        )
