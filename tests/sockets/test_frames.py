"""Frames over real TCP: cut, crowded, in parts, too large; and the ways in which a connection ends."""

import asyncio
import json

import pytest

from tests.sockets.conftest import MAX_FRAME
from tests.support.people import Person
from tests.support.rawclient import CLOSE, CONTINUATION, PING, PONG, TEXT, RawClient, frame, raw_client
from tests.support.server import ChatServer


def says(content: str) -> bytes:
    return frame(command(content))


def command(content: str) -> bytes:
    return json.dumps({"type": "message", "content": content}).encode()


def path(person: Person, room: int) -> str:
    return f"/ws/chat/{room}?token={person.token}"


async def hears_all(client: RawClient, *contents: str) -> None:
    """These messages are the next ones."""
    assert [(await client.hears("message"))["message"] for _ in contents] == list(contents)


async def test_a_message_may_come_byte_by_byte(server: ChatServer, alice: Person, room: int) -> None:
    async with raw_client(server, path(alice, room)) as client:
        for byte in says("slowly"):
            await client.sends(bytes((byte,)))
            await asyncio.sleep(0.001)
        await hears_all(client, "slowly")


async def test_many_messages_may_come_at_once(server: ChatServer, alice: Person, room: int) -> None:
    words = [f"word {number}" for number in range(1000)]
    async with raw_client(server, path(alice, room)) as client:
        await client.sends(*map(says, words))
        await hears_all(client, *words)


async def test_a_message_in_parts_is_one_message_and_a_ping_between_them_is_answered_first(
    server: ChatServer, alice: Person, room: int
) -> None:
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        whole = command("in parts, with ünïcode 👋")
        parts = [whole[place : place + 7] for place in range(0, len(whole), 7)]
        await client.sends(frame(parts[0], TEXT, fin=False), frame(b"still there?", PING))
        while (await client.next_frame()) != (PONG, b"still there?"):
            pass
        await client.sends(*(frame(part, CONTINUATION, fin=part is parts[-1]) for part in parts[1:]))
        await hears_all(client, "in parts, with ünïcode 👋")


async def test_after_a_frame_that_is_too_large_the_conversation_goes_on(
    tight: ChatServer, carol: Person, den: int
) -> None:
    async with raw_client(tight, path(carol, den)) as client:
        await client.sends(says("before"), says("x" * MAX_FRAME), says("after"))
        await hears_all(client, "before", "after")
        assert [event["code"] for event in client.heard if event["type"] == "error"] == ["frame_too_large"]


async def test_a_frame_of_a_megabyte_costs_its_sender_an_error_and_nobody_anything(
    server: ChatServer, alice: Person, bob: Person, room: int
) -> None:
    async with raw_client(server, path(alice, room)) as client, bob.enters(room) as there:
        await client.sends(frame(b"x" * 1_000_000))
        assert (await client.hears("error"))["code"] == "frame_too_large"
        await client.sends(says("sorry"))
        assert (await there.hears("message"))["message"] == "sorry"


@pytest.mark.parametrize("length", [1 << 25, (1 << 63) - 1])
async def test_a_frame_without_an_end_in_sight_closes_with_1009(
    server: ChatServer, alice: Person, room: int, length: int
) -> None:
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        await client.sends(b"\x81\xff" + length.to_bytes(8, "big") + b"\0\0\0\0" + b"x" * 1000)
        assert await client.is_closed() == 1009


async def test_a_close_is_answered_with_its_code_and_the_line_is_cut(
    server: ChatServer, alice: Person, room: int
) -> None:
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        await client.sends(frame((1000).to_bytes(2, "big") + b"bye", CLOSE))
        assert await client.is_closed() == 1000
        with pytest.raises(asyncio.IncompleteReadError):
            await client.next_frame()


async def test_what_was_said_before_a_close_is_stored(server: ChatServer, alice: Person, room: int) -> None:
    words = [f"last word {number}" for number in range(100)]
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        await client.sends(*map(says, words), frame((1000).to_bytes(2, "big"), CLOSE))
        await client.is_closed()
    await is_in_history(alice, room, words)


async def test_what_was_said_before_a_half_close_is_stored_and_the_line_is_cut(
    server: ChatServer, alice: Person, room: int
) -> None:
    words = [f"half a word {number}" for number in range(100)]
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        await client.sends(*map(says, words))
        client.half_closes()
        await client.is_closed()
    await is_in_history(alice, room, words)


async def is_in_history(person: Person, room: int, words: list[str]) -> None:
    async with asyncio.timeout(5):
        while [message["message"] for message in await person.history(room, limit=200)] != words:
            await asyncio.sleep(0.02)


async def test_when_the_server_closes_and_the_client_agrees_the_line_is_cut_at_once(
    server: ChatServer, alice: Person, room: int
) -> None:
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        await alice.http.post("/api/auth/logout")
        assert await client.is_closed() == 4401
        await client.sends(frame((4401).to_bytes(2, "big"), CLOSE))
        with pytest.raises(asyncio.IncompleteReadError):
            async with asyncio.timeout(2):
                await client.next_frame()


async def test_who_breaks_the_protocol_is_closed_and_nobody_else(
    server: ChatServer, alice: Person, bob: Person, room: int
) -> None:
    async with raw_client(server, path(alice, room)) as client, bob.enters(room) as there:
        await client.hears("ready")
        await client.sends(frame(b"{}", masked=False))
        assert await client.is_closed() == 1002
        await there.says("still here")
        assert (await there.hears("message"))["message"] == "still here"
