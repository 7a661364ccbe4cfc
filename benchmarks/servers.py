"""Starts a server on one core, and stops it."""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.peers import ROOT, Peer

HOST = "127.0.0.1"


@cache
def data() -> Path:
    """A folder for this process on the disk of the repository, since storing in memory would cost nothing."""
    parent = Path(__file__).parent / ".data"
    parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class DidNotStart(Exception):
    """The server under test exited, or did not listen in time."""


@dataclass(frozen=True)
class Server:
    """A server that is listening."""

    peer: Peer
    pid: int
    port: int
    host: str = HOST


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(peer: Peer, env: dict[str, str], core: int) -> Iterator[Server]:
    """Run the peer on a free port of 127.0.0.1, with all its threads and children on one core."""
    port = free_port()
    places = {"HOST": HOST, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    with (data() / f"{peer.name}.log").open("wb") as log:
        process = subprocess.Popen(
            peer.command,
            cwd=ROOT,
            env=os.environ | places | peer.env | env,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 - no threads here
        )
    try:
        _await_listening(peer, process, port)
        yield Server(peer, process.pid, port)
    finally:
        _stop(process)


def _await_listening(peer: Peer, process: "subprocess.Popen[bytes]", port: int, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    log = (data() / f"{peer.name}.log").read_text(errors="replace")[-2000:]
    raise DidNotStart(f"{peer.name}: {log}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
