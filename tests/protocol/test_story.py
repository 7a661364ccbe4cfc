"""The examples of docs/protocol.md are one story, played here line by line on a server that was just started."""

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

VARIES = {"session_id", "reconnect_after_ms"}
"""Besides times, what differs from one telling to the next."""


class Theatre:
    """The people of the story, their open sockets, and what they have heard that the story has not told yet."""

    def __init__(self, server: ChatServer) -> None:
        self.server = server
        self.people: dict[str, Person] = {}
        self.seats: dict[str, Seat] = {}
        self.untold: dict[str, list[Any]] = {}
        self._open: dict[str, AsyncExitStack] = {}

    async def play(self, step: Step) -> None:
        match step.does:
            case "connects to":
                await self.connect(step.who, step.what)
            case "→":
                COMMAND_ADAPTER.validate_json(step.what)
                await self.seats[step.who].socket.send(step.what)
            case "←":
                await self.hear(step.who, json.loads(step.what))
            case "gets":
                self.untold[step.who].append((await self.people[step.who].http.get(step.what)).json())
            case "leaves":
                await self.leave(step.who)
            case "goes away":
                assert self.server.process is not None
                self.server.process.send_signal(signal.SIGTERM)
            case "is closed with":
                assert await self.seats[step.who].is_closed() == int(step.what)
            case unknown:
                raise AssertionError(f"no step of a story is called {unknown}")

    async def connect(self, who: str, path: str) -> None:
        person = self.people.get(who) or await sign_in(self.server, who, dict(ACCOUNTS)[who])
        self.people[who] = person
        address = f"{self.server.ws}{path}{'&' if '?' in path else '?'}token={person.token}"
        stack = self._open[who] = AsyncExitStack()
        self.seats[who] = Seat(await stack.enter_async_context(websockets.connect(address)))
        self.untold[who] = []

    async def hear(self, who: str, told: Frame) -> None:
        """What is told comes, if it has not come already."""
        while not any(alike(told, heard) for heard in self.untold[who]):
            try:
                self.untold[who].append(await self.seats[who].next())
            except TimeoutError:
                raise AssertionError(f"{who} did not hear {told}, but {self.untold[who]}") from None
        self.untold[who].remove(next(heard for heard in self.untold[who] if alike(told, heard)))

    async def leave(self, who: str) -> None:
        """Go, and see that the story has kept nothing back."""
        seat = self.seats[who]
        await seat.does("ping", ref="last")
        while (heard := await seat.next())["type"] != "pong":
            self.untold[who].append(heard)
        assert [frame for frame in self.untold[who] if frame["type"] != "presence"] == []
        await self._open.pop(who).aclose()

    async def close(self) -> None:
        for stack in self._open.values():
            await stack.aclose()
        for person in self.people.values():
            await person.http.aclose()


def alike(told: Any, heard: Any) -> bool:
    """Whether these are the same but for what differs from one telling to the next."""
    if isinstance(told, dict) and isinstance(heard, dict):
        return told.keys() == heard.keys() and all(
            key in VARIES or alike(told[key], heard[key]) for key in told
        )
    if isinstance(told, list) and isinstance(heard, list):
        return len(told) == len(heard) and all(map(alike, told, heard))
    if isinstance(told, str) and frames.INSTANT.fullmatch(told):
        return isinstance(heard, str) and frames.INSTANT.fullmatch(heard) is not None
    if isinstance(told, str) and told.startswith("2024-01-01T"):
        return isinstance(heard, str) and len(heard) == len(told)
    return type(told) is type(heard) and bool(told == heard)


async def test_everything_happens_as_the_document_tells_it(own_server: ChatServer) -> None:
    theatre = Theatre(own_server)
    try:
        for step in story():
            await theatre.play(step)
    finally:
        await theatre.close()


def test_every_frame_of_the_story_is_what_the_protocol_allows() -> None:
    told = [json.loads(step.what) for step in story() if step.does == "←"]
    assert {frame["type"] for frame in told if "type" in frame} == set(frames.event_names()), (
        "it tells of every event"
    )
    for frame in told:
        for event in [frame] if "type" in frame else frame["changes"]:
            frames.check(event)
