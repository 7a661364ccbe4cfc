"""A socket that sends one command at a time and records all events that arrive in between."""

import itertools
import json
from contextlib import ExitStack
from typing import Any

from websockets.sync.client import connect

from tests.properties.model import DurableEvent
from tests.support import frames
from tests.support.people import PATIENCE, Frame

_refs = itertools.count(1)


class RecordingListener:
    def __init__(self, address: str) -> None:
        self._stack = ExitStack()
        self._socket = self._stack.enter_context(connect(address, compression=None, ping_interval=None))
        self._durable: list[DurableEvent] = []
        self._ephemeral: list[tuple[Any, ...]] = []
        self.ready = self.next_of("ready")

    def close(self) -> None:
        self._stack.close()

    def send(self, frame: str | bytes) -> None:
        self._socket.send(frame)

    def say(self, command: Frame) -> None:
        """Send a command that has no answer."""
        self.send(json.dumps(command))

    def settle(self) -> None:
        """Wait until the server has handled everything sent so far."""
        assert self.ask({"type": "ping"})["type"] == "pong"

    def ask(self, command: Frame, *, binary: bool = False) -> Frame:
        """Send a command and return its answer; events before it are recorded."""
        ref = next(_refs)
        text = json.dumps({**command, "ref": ref})
        self.send(text.encode() if binary else text)
        while (frame := self._next()).get("ref") != ref:
            pass
        return frame

    def next_of(self, kind: str) -> Frame:
        """Return the next frame of this type; events before it are recorded."""
        while (frame := self._next())["type"] != kind:
            pass
        return frame

    def take_events(self) -> tuple[list[DurableEvent], list[tuple[Any, ...]]]:
        """The events since the last call: durable ones, and ephemeral ones (typing, read)."""
        self.settle()
        found = self._durable, self._ephemeral
        self._durable, self._ephemeral = [], []
        return found

    def _next(self) -> Frame:
        frame: Frame = frames.check(json.loads(self._socket.recv(timeout=PATIENCE)))
        match frame["type"]:
            case "message" | "message.updated" | "message.deleted" | "reaction" | "member.joined":
                self._durable.append(DurableEvent(frame["seq"], frame["type"], frame.get("id")))
            case "typing":
                self._ephemeral.append(("typing", frame["user"]))
            case "read":
                self._ephemeral.append(("read", frame["user"], frame["id"]))
            case _:
                pass  # other events are not covered by the model
        return frame
