"""SIGTERM: accepted work is finished, every client gets a goodbye, and the server exits within ten seconds even if a
client does not read."""

import asyncio
import contextlib
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.sockets.bursts import GOODBYE_CODES, assert_nothing_is_lost, burst, whole_history
from tests.support.people import sign_in, sign_up
from tests.support.rawclient import frame, raw_client
from tests.support.server import ChatServer

MAX_STOP_SECONDS = 10
ENDED = (0, -signal.SIGTERM)
"""Exit status 0, or the signal, which uvicorn raises again after its shutdown."""


async def test_a_stop_in_a_burst_loses_no_message_and_says_goodbye_to_every_client(
    own_server: ChatServer,
) -> None:
    async with burst(own_server, senders=8) as talk:
        listening = [asyncio.create_task(talk.listen(sender)) for sender in range(8)]
        talking = [asyncio.create_task(talk.talk(sender, 10_000)) for sender in range(8)]
        await talk.until_all_have_heard(200)
        start = time.monotonic()
        status = await asyncio.to_thread(own_server.stop)
        assert time.monotonic() - start < MAX_STOP_SECONDS
        await asyncio.gather(*listening, *talking)
        assert status in ENDED
        for seat in talk.seats:
            assert seat.socket.close_code == 1012
            assert [frame["type"] for frame in seat.heard].count("goodbye") == 1
    await asyncio.to_thread(own_server.start)
    person = await sign_in(own_server, "sender")
    assert_nothing_is_lost(talk, await whole_history(person, talk.room))
    await person.http.aclose()


EDITS = 40


async def test_commands_read_before_the_goodbye_are_executed_and_answered(tmp_path: Path) -> None:
    """Forty edits in one write: when the server gets the signal, most of them are still queued."""
    with ChatServer(tmp_path, shutdown_seconds=60) as server:
        ann = await sign_up(server, "ann")
        room = (await ann.http.post("/api/rooms", json={"name": "Drafts"})).json()["id"]
        assert (await ann.http.post(f"/api/messages/{room}", json={"content": "draft 0"})).status_code == 201
        async with raw_client(server, f"/ws/chat/{room}?token={ann.token}") as client:
            await client.hears("ready")
            edits = [
                b'{"type": "message.edit", "id": 1, "content": "draft %d", "ref": %d}' % (number, number)
                for number in range(1, EDITS + 1)
            ]
            receipt = b'{"type": "read", "id": 1, "ref": "receipt"}'
            await client.sends(*map(frame, (*edits, receipt)))
            await client.hears("ack", ref=1)
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            await client.hears("goodbye")
            done = [event["ref"] for event in client.heard if event["type"] == "ack"]
            assert len(done) < EDITS, "every edit was done before the signal"
            await client.hears("ack", ref=EDITS)
            await client.hears("ack", ref="receipt")
            assert await client.is_closed() == 1012
        assert await asyncio.to_thread(server.process.wait, 30) in ENDED
        await ann.http.aclose()
        server.start()
        ann = await sign_in(server, "ann")
        assert [one["message"] for one in await ann.history(room)] == [f"draft {EDITS}"]
        await ann.http.aclose()


async def test_rest_requests_in_progress_are_finished(own_server: ChatServer) -> None:
    ann = await sign_up(own_server, "ann")
    room = (await ann.http.post("/api/rooms", json={"name": "Last orders"})).json()["id"]
    posts = [
        asyncio.create_task(ann.http.post(f"/api/messages/{room}", json={"content": f"order {number}"}))
        for number in range(50)
    ]
    await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
    assert await asyncio.to_thread(own_server.stop) in ENDED
    answers = await asyncio.gather(*posts, return_exceptions=True)
    accepted = [
        one.json()["id"] for one in answers if not isinstance(one, BaseException) and one.status_code == 201
    ]
    assert accepted
    await ann.http.aclose()
    await asyncio.to_thread(own_server.start)
    ann = await sign_in(own_server, "ann")
    assert {message["id"] for message in await whole_history(ann, room)} >= set(accepted)
    await ann.http.aclose()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_client_that_never_reads_does_not_delay_the_stop(tmp_path: Path, how: signal.Signals) -> None:
    with ChatServer(tmp_path, socket_send_buffer_bytes=16_384) as server:
        ann = await sign_up(server, "ann")
        room = (await ann.http.post("/api/rooms", json={"name": "Stuck"})).json()["id"]
        address = f"/ws/chat/{room}?token={ann.token}"
        async with raw_client(server, address, receive_buffer=8_192) as stuck, ann.enters(room) as seat:
            await stuck.hears("ready")
            stuck.stops_reading()
            # 480,000 bytes: below the limit for listeners, far above the kernel's buffers.
            for _ in range(60):
                await seat.says("x" * 8_000)
            for _ in range(60):
                await seat.hears("message")
            assert server.process is not None
            start = time.monotonic()
            server.process.send_signal(how)
            assert await seat.is_closed() in GOODBYE_CODES
            await asyncio.to_thread(server.process.wait, 20)
            assert time.monotonic() - start < MAX_STOP_SECONDS
            assert "Traceback" not in server.log.read_text()
        await ann.http.aclose()


async def test_a_connection_opened_during_the_stop_is_told_to_reconnect(own_server: ChatServer) -> None:
    """A new socket is closed with 1012 or not accepted at all; it is never left hanging."""
    ann = await sign_up(own_server, "ann")
    assert own_server.process is not None
    own_server.process.send_signal(signal.SIGTERM)
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            async with raw_client(own_server, f"/ws?token={ann.token}") as late:
                assert await late.is_closed() in GOODBYE_CODES | {None}
    assert await asyncio.to_thread(own_server.process.wait, MAX_STOP_SECONDS) in ENDED
    await ann.http.aclose()


HANGING = """
import sys, time
from app.services import rooms
rooms.create = lambda *_: time.sleep(3600)
import run
sys.exit(run.main())
"""


async def test_a_thread_that_hangs_in_the_database_does_not_keep_the_process_alive(tmp_path: Path) -> None:
    """As one that waits for a disk which does not answer."""
    hanging = (sys.executable, "-c", HANGING)
    with ChatServer(tmp_path, hanging, shutdown_seconds=5) as server:
        ann = await sign_up(server, "ann")
        refused = await ann.http.post("/api/rooms", json={"name": "Hangs"}, timeout=30)
        assert refused.status_code == 503
        start = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 1
        assert time.monotonic() - start < MAX_STOP_SECONDS
        assert "database.not_closed" in server.log.read_text()
        await ann.http.aclose()
