"""The examples of docs/protocol.md are one story, which is played here line by line on a newly started server."""

import json
import signal
from contextlib import AsyncExitStack
from typing import Any

import websockets

from app.schemas.asyncapi.examples import Frame
from app.schemas.commands import COMMAND_ADAPTER
from app.services.samples import ACCOUNTS
from tests.protocol.document import Step, story
from tests.support import frames
from tests.support.people import Person, Seat, sign_in
from tests.support.server import ChatServer

VARIES = {"session_id", "reconnect_after_ms", "epoch", "features"}
"""Keys whose values differ from run to run, as times do, or are shortened."""


class StoryPlayer:
    """The users of the story, their open sockets, and the frames that they received before the story mentions them."""

    def __init__(self, server: ChatServer) -> None:
        self.server = server
        self.users: dict[str, Person] = {}
        self.seats: dict[str, Seat] = {}
        self.unmentioned: dict[str, list[Any]] = {}
        self._open: dict[str, AsyncExitStack] = {}

    async def play(self, step: Step) -> None:
        match step.does:
            case "connects to":
                await self.connect(step.who, step.what)
            case "→":
                COMMAND_ADAPTER.validate_json(step.what)
                await self.seats[step.who].socket.send(step.what)
            case "←":
                await self.expect(step.who, json.loads(step.what))
            case "gets":
                self.unmentioned[step.who].append((await self.users[step.who].http.get(step.what)).json())
            case "leaves":
                await self.leave(step.who)
            case "goes away":
                assert self.server.process is not None
                self.server.process.send_signal(signal.SIGTERM)
            case "is closed with":
                assert await self.seats[step.who].is_closed() == int(step.what)
            case unknown:
                raise AssertionError(f"a story has no step {unknown}")

    async def connect(self, who: str, path: str) -> None:
        person = self.users.get(who) or await sign_in(self.server, who, dict(ACCOUNTS)[who])
        self.users[who] = person
        address = f"{self.server.ws}{path}{'&' if '?' in path else '?'}token={person.token}"
        stack = self._open[who] = AsyncExitStack()
        self.seats[who] = Seat(await stack.enter_async_context(websockets.connect(address)))
        self.unmentioned[who] = []

    async def expect(self, who: str, documented: Frame) -> None:
        """Wait for the frame that the story mentions, unless it has arrived already."""
        while not any(matches(documented, received) for received in self.unmentioned[who]):
            try:
                self.unmentioned[who].append(await self.seats[who].next())
            except TimeoutError:
                raise AssertionError(
                    f"{who} did not receive {documented}, but {self.unmentioned[who]}"
                ) from None
        self.unmentioned[who].remove(
            next(received for received in self.unmentioned[who] if matches(documented, received))
        )

    async def leave(self, who: str) -> None:
        """Close the connection, and check that the story mentions every frame that it received."""
        seat = self.seats[who]
        await seat.does("ping", ref="last")
        while (received := await seat.next())["type"] != "pong":
            self.unmentioned[who].append(received)
        assert [frame for frame in self.unmentioned[who] if frame["type"] != "presence"] == []
        await self._open.pop(who).aclose()

    async def close(self) -> None:
        for stack in self._open.values():
            await stack.aclose()
        for person in self.users.values():
            await person.http.aclose()


def matches(documented: Any, received: Any) -> bool:
    """Whether two values are the same, apart from times and other values that differ from run to run."""
    if isinstance(documented, dict) and isinstance(received, dict):
        return documented.keys() == received.keys() and all(
            key in VARIES or matches(documented[key], received[key]) for key in documented
        )
    if isinstance(documented, list) and isinstance(received, list):
        return len(documented) == len(received) and all(map(matches, documented, received))
    if isinstance(documented, str) and frames.INSTANT.fullmatch(documented):
        return isinstance(received, str) and frames.INSTANT.fullmatch(received) is not None
    if isinstance(documented, str) and documented.startswith("2024-01-01T"):
        return isinstance(received, str) and len(received) == len(documented)
    return type(documented) is type(received) and bool(documented == received)


async def test_the_server_behaves_as_the_story_says(own_server: ChatServer) -> None:
    player = StoryPlayer(own_server)
    try:
        for step in story():
            await player.play(step)
    finally:
        await player.close()


def test_every_frame_of_the_story_is_valid_and_every_event_occurs() -> None:
    answers = [json.loads(step.what) for step in story() if step.does == "←"]
    documented = [answer for answer in answers if isinstance(answer, dict)]  # the others are lists over REST
    assert {frame["type"] for frame in documented if "type" in frame} == set(frames.event_names()), (
        "the story has every event"
    )
    for frame in documented:
        for event in [frame] if "type" in frame else frame["changes"]:
            frames.check(event)
