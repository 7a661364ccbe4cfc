"""The data of this server before a run: accounts, tokens, rooms and, for workloads that read, messages.

A seed is created once through the server's own API. Messages are inserted as rows, since a million API calls would
take an hour. Every run gets a copy, so that all runs begin alike.
"""

import json
import shutil
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.dialects import content
from benchmarks.peers import BY_NAME
from benchmarks.servers import Server, data, running

SECRET = "benchmarks-only-0123456789-0123456789-0123456789"
PASSWORD = "correct horse battery staple 7"
PEOPLE, ROOMS = 20, 200
NO_LIMITS = {
    "COMMANDS_PER_SECOND": "0",
    "SOCKETS_PER_USER": "0",
    "SOCKETS_PER_ADDRESS": "0",
    "LOGINS_PER_MINUTE": "0",
    "LOGINS_PER_ADDRESS": "0",
    "SIGNUPS_PER_ADDRESS": "0",
    "PASSWORD_QUEUE": "0",
    "SAMPLE_DATA": "false",
    "LOG_LEVEL": "warning",
    "SECRET_KEY": SECRET,
}
"""One address acts for thousands of users here, so these limits are off. All other settings have their defaults."""


@dataclass(frozen=True)
class Seed:
    """A database to copy, and its content."""

    database: Path
    tokens: list[str]
    people: list[tuple[str, str]]
    rooms: list[str]
    filled: dict[int, str]
    """Number of messages → the room that holds this many."""

    def copy(self) -> dict[str, str]:
        """A fresh copy, as the environment of a server that uses it."""
        copied = data() / "run.db"
        for old in data().glob("run.db*"):
            old.unlink()
        shutil.copyfile(self.database, copied)
        return environment(copied)


def environment(database: Path) -> dict[str, str]:
    return NO_LIMITS | {"DATABASE_URL": f"sqlite:///{database}"}


def make(name: str, fill: tuple[int, ...], core: int) -> Seed:
    """Create a seed with one extra room for each number of messages in `fill`."""
    database = data() / f"seed-{name}.db"
    with running(BY_NAME["ours"], environment(database), core) as server:
        people = [(f"person{i}", PASSWORD) for i in range(PEOPLE)]
        tokens = [_sign_up(server, *person) for person in people]
        rooms = [_make_room(server, tokens[0], f"room {i}") for i in range(ROOMS + len(fill))]
    with sqlite3.connect(database) as db:
        _join_all(db)
        for room, messages in zip(rooms[ROOMS:], fill, strict=True):
            _fill(db, int(room), messages)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("ANALYZE")
    db.close()
    return Seed(database, tokens, people, rooms[:ROOMS], dict(zip(fill, rooms[ROOMS:], strict=True)))


def _join_all(db: sqlite3.Connection) -> None:
    """Make every user a member of every room: clients reconnect far more often than users join."""
    db.execute(
        "INSERT INTO members (room_id, user_id, role, joined_at, seq, last_read_id) "
        "SELECT rooms.id, users.id, 'member', 0, users.id, 0 FROM rooms, users WHERE users.id != rooms.created_by"
    )
    db.execute("UPDATE rooms SET last_seq = (SELECT max(id) FROM users)")
    db.commit()


def _sign_up(server: Server, name: str, password: str) -> str:
    account = {"username": name, "password": password}
    _post(server, "/api/auth/signup", account)
    return str(_post(server, "/api/auth/login", account)["access_token"])


def _make_room(server: Server, token: str, name: str) -> str:
    return str(_post(server, "/api/rooms", {"name": name}, token)["id"])


def _post(server: Server, path: str, body: object, token: str = "") -> Any:
    request = urllib.request.Request(f"http://{server.host}:{server.port}{path}", json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def _fill(db: sqlite3.Connection, room: int, messages: int) -> None:
    """Insert rows as the ledger would: numbers without gaps, one second between messages."""
    [seq] = db.execute("SELECT last_seq FROM rooms WHERE id = ?", (room,)).fetchone()
    [sender] = db.execute("SELECT min(id) FROM users WHERE username LIKE 'person%'").fetchone()
    first = int(time.time() * 1000) - messages * 1000
    text = content()

    def rows() -> Iterator[tuple[object, ...]]:
        for i in range(1, messages + 1):
            yield room, i, seq + i, seq + i, sender, text, first + i * 1000

    columns = "room_id, id, seq, changed_seq, sender_id, content, created_at"
    db.execute("BEGIN")
    db.executemany(f"INSERT INTO messages ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows())
    db.execute(
        "UPDATE rooms SET last_message_id = ?, last_live_id = ?, last_seq = ? WHERE id = ?",
        (messages, messages, seq + messages, room),
    )
    db.execute("COMMIT")
