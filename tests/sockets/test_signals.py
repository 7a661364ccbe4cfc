"""Signals other than SIGTERM: each stops the server with a goodbye, once, and without a traceback."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sockets.bursts import GOODBYE_CODES
from tests.support.people import sign_up
from tests.support.server import DEADLINE, ROOT, ChatServer, wait_until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

NOHUP = (
    "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); import run; sys.exit(run.command())"
)


async def test_a_closed_terminal_stops_the_server_like_sigterm(own_server: ChatServer) -> None:
    ann = await sign_up(own_server, "ann")
    assert own_server.process is not None
    async with ann.enters(1) as seat:
        own_server.process.send_signal(signal.SIGHUP)
        await seat.hears("goodbye")
        assert await seat.is_closed() in GOODBYE_CODES
    assert await asyncio.to_thread(own_server.process.wait, DEADLINE) in (0, -signal.SIGTERM)
    assert "Traceback" not in own_server.log.read_text()
    await ann.http.aclose()


def test_nohup_keeps_the_server_running(tmp_path: Path) -> None:
    with ChatServer(tmp_path, (sys.executable, "-c", NOHUP)) as server:
        assert server.process is not None
        server.process.send_signal(signal.SIGHUP)
        wait_until(server._is_healthy, "answering after the hangup")
        assert server.process.poll() is None


async def test_more_than_one_ctrl_c_is_as_good_as_one(own_server: ChatServer) -> None:
    ann = await sign_up(own_server, "ann")
    assert own_server.process is not None
    async with ann.enters(1) as seat:
        own_server.process.send_signal(signal.SIGINT)
        await seat.hears("goodbye")
        while own_server.process.poll() is None:
            own_server.process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.05)
        assert await seat.is_closed() in GOODBYE_CODES
    assert own_server.process.returncode == 0
    assert "Traceback" not in own_server.log.read_text()
    assert not (own_server.folder / "chat.db-wal").exists(), "the database was closed"
    await ann.http.aclose()


EARLY = (
    "import os, signal, sys, run\n"
    "run.main = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
    "sys.exit(run.command())"
)


def test_ctrl_c_before_the_server_runs_leaves_no_traceback() -> None:
    done = subprocess.run(
        (sys.executable, "-c", EARLY), cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_what_a_server_creates_is_for_its_own_user(own_server: ChatServer) -> None:
    modes = {file.name: file.stat().st_mode & 0o077 for file in own_server.folder.iterdir()}
    assert {"chat.db", "chat.secret", "chat.db.lock", "chat.db.epoch"} <= modes.keys()
    modes.pop("server.log")  # the test's own
    assert not any(modes.values()), modes
