"""Users without a browser: what they do reaches the page through the server."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.sync.client import connect

from tests.support.server import ChatServer

PASSWORD = "correct horse"


@dataclass(frozen=True, slots=True)
class Room:
    id: int
    name: str


class RestUser:
    """A signed-up user who sends messages over REST."""

    def __init__(self, server: ChatServer, name: str) -> None:
        self.name = name
        self.server = server
        self.http = httpx.Client(base_url=server.url, timeout=10)
        self._post("/api/auth/signup", username=name, password=PASSWORD)
        self.token: str = self._post("/api/auth/login", username=name, password=PASSWORD)["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def makes_room(self, name: str) -> Room:
        return Room(self._post("/api/rooms", name=name)["id"], name)

    def says(self, room: Room, text: str) -> int:
        """Returns the id of the message."""
        number: int = self._post(f"/api/messages/{room.id}", content=text)["id"]
        return number

    def says_many(self, room: Room, texts: list[str]) -> None:
        """All at once."""
        self._commands(room, [{"type": "message", "content": text} for text in texts])

    def reacts(self, room: Room, number: int, emoji: str) -> None:
        self._commands(room, [{"type": "reaction.add", "id": number, "emoji": emoji}])

    def moves_to(self, server: ChatServer) -> None:
        """Use another server process on the same database."""
        self.http.base_url = httpx.URL(server.url)

    def ends_other_logins(self) -> None:
        """End all other sessions of the user, as from the list of sessions in an app."""
        for session in self.http.get("/api/auth/sessions").raise_for_status().json():
            if not session["current"]:
                self.http.delete(f"/api/auth/sessions/{session['id']}").raise_for_status()

    def history(self, room: Room) -> list[str]:
        """The texts of the newest 200 messages."""
        answer = self.http.get(f"/api/messages/{room.id}", params={"limit": 200})
        return [message["message"] for message in answer.raise_for_status().json()]

    def _commands(self, room: Room, commands: list[dict[str, Any]]) -> None:
        with connect(f"{self.server.ws}/ws/chat/{room.id}?token={self.token}") as socket:
            for number, command in enumerate(commands):
                socket.send(json.dumps(command | {"ref": number}))
            acked = 0
            while acked < len(commands):
                event = json.loads(socket.recv(timeout=60))
                assert event["type"] != "error", event
                acked += event["type"] == "ack"

    def _post(self, path: str, **body: object) -> Any:
        return self.http.post(path, json=body).raise_for_status().json()
