"""A client that sends too fast is read more slowly: nothing is refused or lost, and no other client waits."""

import asyncio
import contextlib
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.people import sign_in
from tests.support.problems import check_problem
from tests.support.rawclient import PING, PONG, RawClient, frame, raw_client
from tests.support.server import ChatServer

COMMANDS = 120
BURST, RATE = 20, 50


async def test_commands_sent_too_fast_are_slowed_down_and_carried_out_in_order(limited: ChatServer) -> None:
    fast, other = [await sign_in(limited, name, "password123") for name in ("user1", "user2")]
    path = f"/ws/chat/2?token={fast.token}"
    async with raw_client(limited, path) as flood, other.enters(2) as bystander:
        await flood.hears("ready")
        commands = [
            b'{"type": "message", "content": "%d", "ref": %d}' % (number, number)
            for number in range(COMMANDS)
        ]
        start = time.monotonic()
        await flood.sends(*map(frame, commands))
        await bystander.says("me too")
        await bystander.hears("message", message="me too")
        waited = time.monotonic() - start
        said = [await flood.hears("message") for _ in range(COMMANDS + 1)]
        taken = time.monotonic() - start
        while (await bystander.hears("message"))["message"] != str(COMMANDS - 1):
            pass
    assert [one["message"] for one in said if one["sender"] == "user1"] == [str(n) for n in range(COMMANDS)]
    assert "error" not in {event["type"] for event in flood.heard}
    assert taken > (COMMANDS - BURST) / RATE * 0.9, "the client was slowed down"
    assert waited < taken / 2, "the other client was not slowed down"
    acks = [event["ref"] for event in flood.heard if event["type"] == "ack"]
    assert acks == sorted(acks)
    for person in (fast, other):
        await person.http.aclose()


IMPATIENT = (
    "import sys, run; from app.websocket.connection import overuse; "
    "overuse.OVERUSE_SECONDS = 1.0; sys.exit(run.main())"
)
"""Runs the server with an overuse limit of one second instead of a minute."""


FLOODS = {
    "commands": frame(b'{"type": "ping"}'),
    "pings of the protocol": frame(b"x" * 100, PING),
    "unsolicited pongs": frame(b"x" * 100, PONG),
}
"""Of some length: 43,000 empty pings fit into one read, and a server whose coverage is measured takes seconds for
them."""


async def flood_with(client: RawClient, what: bytes) -> None:
    """Send until the server stops reading or closes the connection."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while True:
            await client.sends(what * 1000)


@pytest.mark.parametrize("what", FLOODS)
async def test_a_sustained_flood_is_closed_and_a_quiet_connection_of_the_same_user_is_not(
    tmp_path: Path, what: str
) -> None:
    pace = {"commands_per_second": RATE, "command_burst": BURST}
    with ChatServer(tmp_path, (sys.executable, "-c", IMPATIENT), **pace) as server:
        fast = await sign_in(server, "user1", "password123")
        async with raw_client(server, f"/ws?token={fast.token}") as flood, fast.enters(1) as quiet:
            flooding = asyncio.create_task(flood.is_closed())
            sending = asyncio.create_task(flood_with(flood, FLOODS[what]))
            while not flooding.done():
                await quiet.does("ping")
                await quiet.hears("pong")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(flooding), 0.2)
            assert await flooding == 4429
            sending.cancel()
            await quiet.says("still here")
            assert (await quiet.hears("message"))["message"] == "still here"
        await fast.http.aclose()


async def test_pings_count_like_commands(limited: ChatServer) -> None:
    rounds = 5
    fast = await sign_in(limited, "user2", "password123")
    async with raw_client(limited, f"/ws?token={fast.token}") as client:
        start = time.monotonic()
        for number in range(rounds):
            await client.sends(frame(b"", PING) * BURST)
            await client.does("ping", ref=number)
            await client.hears("pong", ref=number)
        assert time.monotonic() - start > ((rounds - 1) * (BURST + 1) - BURST) / RATE * 0.9
    await fast.http.aclose()


async def test_long_frames_count_for_their_bytes_even_if_they_are_refused(limited: ChatServer) -> None:
    """40 KiB count 11, and a frame above the limit of 128 KiB a whole burst."""
    rounds, long = 8, b'{"type": "%s"}' % (b"x" * 40_960)
    fast = await sign_in(limited, "user2", "password123")
    async with raw_client(limited, f"/ws?token={fast.token}") as client:
        start = time.monotonic()
        await client.sends(*[frame(long)] * rounds, *[frame(b"x" * 140_000)] * 2)
        await client.does("ping", ref="last")
        await client.hears("pong")
        assert time.monotonic() - start > (rounds * 11 + BURST) / RATE * 0.9
    codes = Counter(event["code"] for event in client.heard if event["type"] == "error")
    assert codes == {"invalid_command": rounds, "frame_too_large": 2}
    await fast.http.aclose()


async def test_long_bodies_of_rest_requests_count_for_their_bytes(tmp_path: Path) -> None:
    """80 KiB count 21, a whole burst, which takes 20 seconds to come back. They are refused for another reason."""
    with ChatServer(tmp_path, (), commands_per_second=1, command_burst=20) as server:
        fast = await sign_in(server, "user1", "password123")
        body = {"content": "x" * 81_920}
        answers = [await fast.http.post("/api/messages/1", json=body) for _ in range(2)]
        assert check_problem(answers[0], 422) == "validation_failed"
        assert check_problem(answers[1], 429) == "too_fast"
        await fast.http.aclose()


async def test_rest_requests_sent_too_fast_are_answered_with_retry_after(limited: ChatServer) -> None:
    """REST requests cannot be read more slowly, but the answer says how long to wait."""
    admin = await sign_in(limited, "admin", "admin123")
    answers = [await admin.http.get("/api/auth/me") for _ in range(BURST * 10)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(answers) - len(refused) >= BURST
    assert refused, "200 requests take less than four seconds here"
    for answer in refused:
        assert check_problem(answer, 429) == "too_fast"
        assert int(answer.headers["Retry-After"]) == 1
    await admin.http.aclose()
