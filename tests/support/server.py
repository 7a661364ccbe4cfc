"""A real server: `python run.py` in its own process, on a free port, with a database in a temporary folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0
"""Seconds that a server may take to start or stop on a busy machine."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], what: str, deadline: float = DEADLINE) -> None:
    """Poll until the condition holds. Raises TimeoutError with `what` in its message."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"after {deadline} s: not {what}")
        time.sleep(0.01)


class ChatServer:
    """Settings are those of `.env.example`, in lower case. A stopped server can be started again with the same data."""

    def __init__(self, folder: Path, command: tuple[str, ...] = (), **settings: object) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "server.log"
        self.command = command or (sys.executable, str(ROOT / "run.py"))
        defaults = {
            "database_url": f"sqlite:///{folder / 'chat.db'}",
            "host": "127.0.0.1",
            "port": self.port,
            "logins_per_minute": 0,
            "logins_per_address": 0,
            "signups_per_address": 0,
            "commands_per_second": 0,
            "sockets_per_user": 0,
            "sockets_per_address": 0,
            "log_format": "json",
        }
        self.settings = {name.upper(): str(value) for name, value in (defaults | settings).items()}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start, and return once `/health` answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=os.environ | self.settings, stdout=log, stderr=log
            )
        wait_until(self._answers, f"answering on port {self.port}; log: {self.log.read_text()[-2000:]}")
        return self

    def stop(self) -> int:
        """Stop the server as a process manager would (SIGTERM). Returns the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server (SIGKILL), so that it cannot finish anything."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(
                f"the server exited with {self.process.returncode}: {self.log.read_text()[-2000:]}"
            )
        return self._is_healthy()

    def _is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
