"""A client that answers no ping is disconnected after two; one that is slow, or read slowly, stays connected."""

import asyncio
import json
import time
from pathlib import Path

from tests.support.people import Person, sign_up
from tests.support.rawclient import PING, PONG, frame, raw_client
from tests.support.server import ChatServer


async def test_a_dead_peer_is_disconnected_after_two_pings(
    tight: ChatServer, carol: Person, den: int
) -> None:
    async with raw_client(tight, f"/ws/chat/{den}?token={carol.token}") as client:
        await client.hears("ready")
        start = time.monotonic()
        assert await client.is_closed() is None, "a dead peer must be cut off without a close frame"
        assert 0.9 < time.monotonic() - start < 4


async def test_a_client_that_answers_pings_stays_connected(
    tight: ChatServer, carol: Person, den: int
) -> None:
    async with raw_client(tight, f"/ws/chat/{den}?token={carol.token}") as client:
        pings = 0
        while pings < 4:
            opcode, payload = await client.next_frame()
            if opcode == PING:
                pings += 1
                await client.sends(frame(payload, PONG))


async def test_a_client_that_sends_commands_but_no_pongs_stays_connected(
    tight: ChatServer, carol: Person, den: int
) -> None:
    """Some clients answer no ping while they send."""
    async with raw_client(tight, f"/ws/chat/{den}?token={carol.token}") as client:
        for _ in range(20):
            await client.does("ping")
            await client.hears("pong")
            await asyncio.sleep(0.2)


async def test_a_client_that_the_server_reads_slowly_is_not_taken_for_dead(tmp_path: Path) -> None:
    """While the rate limit holds a fast sender back, its pongs are not read either."""
    with ChatServer(tmp_path, ping_interval_seconds=0.5, commands_per_second=20, command_burst=20) as server:
        dave = await sign_up(server, "dave")
        room = (await dave.http.post("/api/rooms", json={"name": "Slow lane"})).json()["id"]
        await dave.http.aclose()
        async with raw_client(server, f"/ws/chat/{room}?token={dave.token}") as client:
            contents = [str(number) for number in range(90)]
            await client.sends(
                *(frame(json.dumps({"type": "message", "content": content}).encode()) for content in contents)
            )
            heard: list[str] = []
            while len(heard) < len(contents):
                opcode, payload = await client.next_frame()
                if opcode == PING:
                    await client.sends(frame(payload, PONG))
                elif (event := json.loads(payload))["type"] == "message":
                    heard.append(event["message"])
            assert heard == contents
