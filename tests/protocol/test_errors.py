"""The table of errors in docs/protocol.md: every code belongs to a class, and clients can provoke nearly every code."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import app.main
from app.core import errors
from app.core.errors import AppError
from tests.protocol.document import names_in, tables
from tests.support.emoji import MANY
from tests.support.people import Person, Seat, sign_up
from tests.support.server import ChatServer

assert app.main.__doc__, "imported so that every error is defined"

ON_THE_SOCKET = [name for row in tables("code") for name in names_in(row[0])]

NOT_BY_CLIENTS = {"database_unavailable", "unknown", "error", "daily_quota_used", "disk_nearly_full"}
"""Codes that clients of this server cannot provoke. Other tests cover a broken database, and quotas."""
CLOSES = {
    "no_socket_here",
    "origin_not_allowed",
    "invalid_parameter",
    "too_many_sockets",
    "server_stopping",
    "too_slow",
    "connection_over",
}
"""Codes of refused and of closed connections: clients receive a close code instead."""
NEVER_TOLD = {"room_locked"}
"""Codes within the server: the draft waits."""
OVER_REST = {
    "username_taken",
    "wrong_credentials",
    "wrong_password",
    "common_password",
    "password_from_name",
    "same_password",
    "session_not_found",
    "content_too_large",
    "too_fast",
    "too_much_unread",
    "too_busy",
    "not_ready",
    "upgrade_required",
}
OF_COMMANDS = {"user_not_found"}
"""Codes of refusals that only an operator sees, as sentences."""

LIVE, DELETED, FULL_OF_REACTIONS, OLD = 1, 2, 3, 4
"""Ids of four messages by Alice."""
EMOJI = 50
A_DAY_AND_AN_HOUR = 25 * 3_600_000


@pytest.fixture
def small_server(tmp_path: Path) -> Iterator[ChatServer]:
    """A server on which a connection can subscribe to one room."""
    with ChatServer(tmp_path, rooms_per_socket=1) as running:
        yield running


async def test_clients_can_provoke_every_code_of_the_table(small_server: ChatServer) -> None:
    alice, bob = await sign_up(small_server, "alice"), await sign_up(small_server, "bob")
    room, elsewhere = [
        (await alice.http.post("/api/rooms", json={"name": name})).json()["id"] for name in ("here", "there")
    ]
    async with alice.enters(room) as seat:
        await make_messages(seat, small_server)
        await provoke("edit_window_closed", seat, "message.edit", id=OLD, content="late")
    async with bob.connects() as seat:
        await provoke_all_but_one(seat, alice, room, elsewhere)
        provoked = {frame["code"] for frame in seat.heard if frame["type"] == "error"} | {
            "edit_window_closed"
        }
    assert provoked == set(ON_THE_SOCKET) - NOT_BY_CLIENTS
    for person in (alice, bob):
        await person.http.aclose()


async def make_messages(seat: Seat, server: ChatServer) -> None:
    for ref in (LIVE, DELETED, FULL_OF_REACTIONS, OLD):
        await seat.says(f"message {ref}", ref=ref)
        await seat.hears("ack", ref=ref)
    await seat.does("message.delete", id=DELETED, ref="gone")
    await seat.hears("ack", ref="gone")
    for emoji in MANY[:EMOJI]:
        await seat.does("reaction.add", id=FULL_OF_REACTIONS, emoji=emoji, ref=emoji)
    await seat.hears("ack", ref=MANY[EMOJI - 1])
    with sqlite3.connect(server.folder / "chat.db") as db:
        db.execute("UPDATE messages SET created_at = created_at - ? WHERE id = ?", (A_DAY_AND_AN_HOUR, OLD))
    db.close()


async def provoke_all_but_one(seat: Seat, alice: Person, room: int, elsewhere: int) -> None:
    await seat.socket.send("{")
    await seat.hears("error", code="invalid_json")
    await seat.socket.send(json.dumps({"type": "ping", "padding": "x" * 131_072}))
    await seat.hears("error", code="frame_too_large")
    await provoke("invalid_command", seat, "shout")
    await provoke("room_missing", seat, "typing")
    await provoke("room_not_found", seat, "subscribe", room_id=2**40)
    await provoke("not_subscribed", seat, "typing", room_id=room)
    await provoke("reply_to_nothing", seat, "message", room_id=room, content="to whom?", reply_to=99)
    await provoke("message_not_found", seat, "message.edit", room_id=room, id=99, content="what?")
    await provoke("message_gone", seat, "reaction.add", room_id=room, id=DELETED, emoji="👍")
    await provoke("not_your_message", seat, "message.delete", room_id=room, id=LIVE)
    await provoke("too_many_reactions", seat, "reaction.add", room_id=room, id=FULL_OF_REACTIONS, emoji="👍")
    await provoke("invalid_token", seat, "auth", token="not a token")
    await provoke("other_session", seat, "auth", token=alice.token)
    await seat.does("subscribe", room_id=room)
    await seat.hears("synced", room_id=room)
    await provoke("too_many_rooms", seat, "subscribe", room_id=elsewhere)


async def provoke(code: str, seat: Seat, type_: str, **fields: Any) -> None:
    """Send an invalid command, expect its error, and check that the connection still works."""
    await seat.does(type_, ref=f"about {code}", **fields)
    error = await seat.hears("error")
    assert (error["code"], error["ref"]) == (code, f"about {code}")
    await seat.does("ping", ref=f"after {code}")
    await seat.hears("pong", ref=f"after {code}")


def test_every_error_is_in_the_document_or_in_one_of_the_sets() -> None:
    codes = {error.code for error in subclasses_of(AppError) if error.__module__ != errors.__name__}
    known = (set(ON_THE_SOCKET) | CLOSES | OVER_REST | OF_COMMANDS | NEVER_TOLD) - {AppError.code}
    assert codes == known, "a new error belongs in docs/protocol.md or in one of the sets above"
    assert len(ON_THE_SOCKET) == len(set(ON_THE_SOCKET))


def subclasses_of(error: type[AppError]) -> set[type[AppError]]:
    children = error.__subclasses__()
    return {found for child in children for found in {child} | subclasses_of(child)}
