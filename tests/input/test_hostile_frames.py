"""Frames that violate RFC 6455 and half-closed connections, on this server and on plain uvicorn."""

from collections.abc import AsyncIterator

import pytest

from tests.input import corpus
from tests.support.people import Person, sign_in
from tests.support.rawclient import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawClient,
    frame,
    raw_client,
)
from tests.support.server import ChatServer

GOOD = b'{"type": "message", "content": "good"}'
PATH = "/ws/chat/2?token={}"

VIOLATIONS = {
    "not masked": (frame(GOOD, masked=False), 1002),
    "a reserved bit": (frame(GOOD, rsv=4), 1002),
    "an opcode that does not exist": (frame(GOOD, 3), 1002),
    "a control opcode that does not exist": (frame(b"", 0xB), 1002),
    "a continuation of nothing": (frame(GOOD, CONTINUATION), 1002),
    "a message inside a message": (frame(GOOD[:9], fin=False) + frame(GOOD), 1002),
    "a long ping": (frame(b"x" * 126, PING), 1002),
    "a fragmented ping": (frame(b"x", PING, fin=False), 1002),
    "a close of one byte": (frame(b"x", CLOSE), 1002),
    "a close code that must not be sent": (frame((1005).to_bytes(2, "big"), CLOSE), 1002),
    "a close reason that is not UTF-8": (frame(b"\x03\xe8\xff", CLOSE), 1007),
    "the largest length of all": (b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"mask", 1009),
    "a fragmented text that is not UTF-8": (frame(b"\xff", fin=False) + frame(b"", CONTINUATION), 1007),
} | {f"text: {name}": (frame(body, TEXT), 1007) for name, body in corpus.NOT_UTF8.items()}


@pytest.fixture(params=["server", "plain"])
def any_server(request: pytest.FixtureRequest) -> ChatServer:
    found: ChatServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def user1(any_server: ChatServer) -> AsyncIterator[Person]:
    person = await sign_in(any_server, "user1", "password123")
    yield person
    await person.http.aclose()


async def test_a_protocol_violation_closes_its_own_connection_and_no_other(user1: Person) -> None:
    async with user1.enters(2) as bystander:
        for number, (name, (data, code)) in enumerate(VIOLATIONS.items()):
            async with raw_client(user1.server, PATH.format(user1.token)) as client:
                await client.hears("ready")
                await client.sends(data)
                assert await client.is_closed() == code, name
            await bystander.says(str(number))
            assert (await bystander.hears("message"))["message"] == str(number), name


async def hears_good(client: RawClient) -> None:
    assert (await client.hears("message"))["message"] == "good"


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_a_command_may_be_fragmented_with_a_ping_between_the_fragments(
    user1: Person, opcode: int
) -> None:
    async with raw_client(user1.server, PATH.format(user1.token)) as client:
        await client.hears("ready")
        for cut in (1, 9, len(GOOD)):
            await client.sends(frame(GOOD[:cut], opcode, fin=False), frame(b"hello", PING))
            while (await client.next_frame()) != (PONG, b"hello"):
                pass
            await client.sends(frame(GOOD[cut:], CONTINUATION))
            await hears_good(client)
        await client.sends(frame(b"", PONG), frame(b"unsolicited", PONG), frame(GOOD, opcode))
        await hears_good(client)


async def test_a_message_before_a_half_close_is_stored_and_the_connection_is_closed(user1: Person) -> None:
    """`shutdown(SHUT_WR)`: the client can still read, but the server cannot know whether it does."""
    async with user1.enters(2) as bystander:
        async with raw_client(user1.server, PATH.format(user1.token)) as client:
            await client.hears("ready")
            await client.sends(frame(GOOD))
            client.half_closes()
            assert await client.is_closed() is None
        assert (await bystander.hears("message"))["message"] == "good"
        await bystander.says("still here")
        await bystander.hears("message", message="still here")


@pytest.mark.parametrize(
    "end", [frame((1000).to_bytes(2, "big"), CLOSE), frame(GOOD, masked=False)], ids=["close", "error"]
)
async def test_frames_after_a_close_or_a_violation_are_ignored(user1: Person, end: bytes) -> None:
    async with user1.enters(2) as bystander:
        async with raw_client(user1.server, PATH.format(user1.token)) as client:
            await client.hears("ready")
            await client.sends(end, frame(GOOD))
            await client.is_closed()
        await bystander.says("last")
        assert (await bystander.hears("message"))["message"] == "last"
