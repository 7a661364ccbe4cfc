"""Frames over real TCP: split, batched, fragmented, oversized; and the ways in which a connection ends."""

import asyncio
import json

import pytest

from tests.sockets.conftest import MAX_FRAME
from tests.support.people import Person
from tests.support.rawclient import CLOSE, CONTINUATION, PING, PONG, TEXT, RawClient, frame, raw_client
from tests.support.server import ChatServer


def message(content: str) -> bytes:
    return frame(command(content))


def command(content: str) -> bytes:
    return json.dumps({"type": "message", "content": content}).encode()


def path(person: Person, room: int) -> str:
    return f"/ws/chat/{room}?token={person.token}"


async def hears_all(client: RawClient, *contents: str) -> None:
    """Check that the next messages have these contents."""
    assert [(await client.hears("message"))["message"] for _ in contents] == list(contents)


async def test_a_message_that_arrives_byte_by_byte_is_read(
    server: ChatServer, alice: Person, room: int
) -> None:
    async with raw_client(server, path(alice, room)) as client:
        for byte in message("slowly"):
            await client.sends(bytes((byte,)))
            await asyncio.sleep(0.001)
        await hears_all(client, "slowly")


async def test_a_thousand_messages_in_one_write_are_all_read(
    server: ChatServer, alice: Person, room: int
) -> None:
    contents = [f"message {number}" for number in range(1000)]
    async with raw_client(server, path(alice, room)) as client:
        await client.sends(*map(message, contents))
        await hears_all(client, *contents)


async def test_a_fragmented_message_is_put_together_and_a_ping_between_fragments_is_answered_first(
    server: ChatServer, alice: Person, room: int
) -> None:
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        whole = command("in fragments, with ünïcode 👋")
        fragments = [whole[offset : offset + 7] for offset in range(0, len(whole), 7)]
        await client.sends(frame(fragments[0], TEXT, fin=False), frame(b"still there?", PING))
        while (await client.next_frame()) != (PONG, b"still there?"):
            pass
        await client.sends(
            *(frame(fragment, CONTINUATION, fin=fragment is fragments[-1]) for fragment in fragments[1:])
        )
        await hears_all(client, "in fragments, with ünïcode 👋")


async def test_an_oversized_frame_gets_an_error_and_the_connection_stays_open(
    tight: ChatServer, carol: Person, den: int
) -> None:
    async with raw_client(tight, path(carol, den)) as client:
        await client.sends(message("before"), message("x" * MAX_FRAME), message("after"))
        await hears_all(client, "before", "after")
        assert [event["code"] for event in client.heard if event["type"] == "error"] == ["frame_too_large"]


async def test_a_frame_of_a_megabyte_gets_an_error_and_affects_no_other_client(
    server: ChatServer, alice: Person, bob: Person, room: int
) -> None:
    async with raw_client(server, path(alice, room)) as client, bob.enters(room) as there:
        await client.sends(frame(b"x" * 1_000_000))
        assert (await client.hears("error"))["code"] == "frame_too_large"
        await client.sends(message("sorry"))
        assert (await there.hears("message"))["message"] == "sorry"


@pytest.mark.parametrize("length", [1 << 25, (1 << 63) - 1])
async def test_a_frame_that_announces_a_huge_length_closes_the_connection_with_1009(
    server: ChatServer, alice: Person, room: int, length: int
) -> None:
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        await client.sends(b"\x81\xff" + length.to_bytes(8, "big") + b"\0\0\0\0" + b"x" * 1000)
        assert await client.is_closed() == 1009


async def test_a_close_frame_is_answered_with_its_code_and_the_tcp_connection_is_closed(
    server: ChatServer, alice: Person, room: int
) -> None:
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        await client.sends(frame((1000).to_bytes(2, "big") + b"bye", CLOSE))
        assert await client.is_closed() == 1000
        with pytest.raises(asyncio.IncompleteReadError):
            await client.next_frame()


async def test_messages_sent_before_a_close_frame_are_stored(
    server: ChatServer, alice: Person, room: int
) -> None:
    contents = [f"last message {number}" for number in range(100)]
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        await client.sends(*map(message, contents), frame((1000).to_bytes(2, "big"), CLOSE))
        await client.is_closed()
    await until_history_is(alice, room, contents)


async def test_messages_sent_before_a_half_close_are_stored_and_the_connection_is_closed(
    server: ChatServer, alice: Person, room: int
) -> None:
    contents = [f"message before the end {number}" for number in range(100)]
    async with raw_client(server, path(alice, room)) as client:
        await client.hears("ready")
        await client.sends(*map(message, contents))
        client.half_closes()
        await client.is_closed()
    await until_history_is(alice, room, contents)


async def until_history_is(person: Person, room: int, contents: list[str]) -> None:
    """Return when the room holds exactly these messages. Raises TimeoutError."""
    async with asyncio.timeout(5):
        while [stored["message"] for stored in await person.history(room, limit=200)] != contents:
            await asyncio.sleep(0.02)


async def test_the_tcp_connection_is_closed_as_soon_as_the_client_answers_a_close_frame(
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


async def test_a_protocol_error_closes_the_connection_of_its_sender_only(
    server: ChatServer, alice: Person, bob: Person, room: int
) -> None:
    async with raw_client(server, path(alice, room)) as client, bob.enters(room) as there:
        await client.hears("ready")
        await client.sends(frame(b"{}", masked=False))
        assert await client.is_closed() == 1002
        await there.says("still here")
        assert (await there.hears("message"))["message"] == "still here"
