"""Who is too fast over a socket is read more slowly: nothing is refused, nothing is lost, nobody else waits."""

import asyncio
import contextlib
import sys
import time
from pathlib import Path

import pytest

from tests.support.people import sign_in
from tests.support.problems import check_problem
from tests.support.rawclient import PING, PONG, RawClient, frame, raw_client
from tests.support.server import ChatServer

AT_ONCE = 120
BURST, RATE = 20, 50


async def test_commands_that_come_too_fast_are_all_carried_out_in_order(limited: ChatServer) -> None:
    eager, calm = [await sign_in(limited, name, "password123") for name in ("user1", "user2")]
    path = f"/ws/chat/2?token={eager.token}"
    async with raw_client(limited, path) as flood, calm.enters(2) as bystander:
        await flood.hears("ready")
        commands = [
            b'{"type": "message", "content": "%d", "ref": %d}' % (number, number) for number in range(AT_ONCE)
        ]
        start = time.monotonic()
        await flood.sends(*map(frame, commands))
        await bystander.says("me too")
        await bystander.hears("message", message="me too")
        waited = time.monotonic() - start
        said = [await flood.hears("message") for _ in range(AT_ONCE + 1)]
        taken = time.monotonic() - start
        while (await bystander.hears("message"))["message"] != str(AT_ONCE - 1):
            pass
    assert [one["message"] for one in said if one["sender"] == "user1"] == [str(n) for n in range(AT_ONCE)]
    assert "error" not in {event["type"] for event in flood.heard}
    assert taken > (AT_ONCE - BURST) / RATE * 0.9, "it was slowed down"
    assert waited < taken / 2, "and nobody else was"
    acks = [event["ref"] for event in flood.heard if event["type"] == "ack"]
    assert acks == sorted(acks)
    for person in (eager, calm):
        await person.http.aclose()


IMPATIENT = (
    "import sys, run; from app.websocket.connection import overuse; "
    "overuse.OVERUSE_SECONDS = 1.0; sys.exit(run.main())"
)
"""The server, with a minute that is over in a second."""


FLOODS = {
    "commands": frame(b'{"type": "ping"}'),
    "pings of the protocol": frame(b"", PING),
    "pongs that nobody asked for": frame(b"", PONG),
}


async def flood_with(client: RawClient, what: bytes) -> None:
    """As much as the server takes, until it takes no more."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while True:
            await client.sends(what * 1000)


@pytest.mark.parametrize("what", FLOODS)
async def test_a_flood_that_never_lets_up_is_closed_and_the_quiet_connection_beside_it_is_not(
    tmp_path: Path, what: str
) -> None:
    pace = {"commands_per_second": RATE, "command_burst": BURST}
    with ChatServer(tmp_path, (sys.executable, "-c", IMPATIENT), **pace) as server:
        eager = await sign_in(server, "user1", "password123")
        async with raw_client(server, f"/ws?token={eager.token}") as flood, eager.enters(1) as quiet:
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
        await eager.http.aclose()


async def test_pings_count_like_commands(limited: ChatServer) -> None:
    rounds = 5
    eager = await sign_in(limited, "user2", "password123")
    async with raw_client(limited, f"/ws?token={eager.token}") as client:
        start = time.monotonic()
        for number in range(rounds):
            await client.sends(frame(b"", PING) * BURST)
            await client.does("ping", ref=number)
            await client.hears("pong", ref=number)
        assert time.monotonic() - start > ((rounds - 1) * (BURST + 1) - BURST) / RATE * 0.9
    await eager.http.aclose()


async def test_requests_that_come_too_fast_are_asked_to_wait(limited: ChatServer) -> None:
    """Over REST nobody can be read more slowly, but a client can be told how long to wait."""
    admin = await sign_in(limited, "admin", "admin123")
    answers = [await admin.http.get("/api/auth/me") for _ in range(BURST * 10)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(answers) - len(refused) >= BURST
    assert refused, "200 requests take less than four seconds here"
    for answer in refused:
        assert check_problem(answer, 429) == "too_fast"
        assert int(answer.headers["Retry-After"]) == 1
    await admin.http.aclose()
