"""Servers that start instantly: a process that has imported the application forks one for each order.

A forked server runs `run.main()`, as `python run.py` does; only the second for imports is saved, so that a test of
twenty seconds has time for many kills. Each server is a separate process, and `kill -9` hits it alone.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Self

from tests.support.server import ROOT, ChatServer, wait_until


class ForkServer:
    """The process that forks. Its exit kills all servers that still run."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.reliability.fork_server"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def fork(self, settings: dict[str, str], log: Path) -> int:
        """Start a server and return its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"settings": settings, "log": str(log)}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the fork server has exited: {Path(self._log.name).read_text()[-2000:]}")
        return int(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=20)
        self._log.close()


class ForkedServer(ChatServer):
    """A ChatServer that a fork server starts."""

    def __init__(self, folder: Path, fork_server: ForkServer, **settings: object) -> None:
        super().__init__(folder, (), **settings)
        self._fork_server = fork_server
        self._pid = 0

    def start(self) -> "ForkedServer":
        self._pid = self._fork_server.fork(self.settings, self.log)
        wait_until(self._is_up, f"an answer of the server; its log: {self.log}")
        return self

    def _end(self, how: signal.Signals) -> int:
        os.kill(self._pid, how)
        wait_until(lambda: not _is_running(self._pid), f"process {self._pid} to exit")
        self._pid = 0
        return -how

    def _is_up(self) -> bool:
        if not _is_running(self._pid):
            raise RuntimeError(f"the server has exited: {self.log.read_text()[-2000:]}")
        return self._is_healthy()

    def __exit__(self, *_: object) -> None:
        if self._pid:
            self.kill()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _serve(settings: dict[str, str], log: str) -> None:
    """Run the server in the forked process. Never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    empty = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((0, empty), (1, output), (2, output)):
        os.dup2(new, old)
    os.environ.update(settings)
    from tests.reliability import faults  # noqa: PLC0415 - after the fork, and only in it

    faults.plant(os.environ.get("PLANTED_FAULT", ""))
    import run  # noqa: PLC0415

    os._exit(run.main())


def main(orders: IO[str] = sys.stdin) -> None:
    """Fork a server for every line of standard input; kill all servers at its end."""
    import app.main  # noqa: F401, PLC0415 - the slow part of a start
    import run  # noqa: F401, PLC0415

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are never waited for: let the kernel reap them
    children = []
    while order := orders.readline():
        options = json.loads(order)
        pid = os.fork()
        if pid == 0:
            _serve(options["settings"], options["log"])
        children.append(pid)
        print(pid, flush=True)
    for pid in filter(_is_running, children):
        os.kill(pid, signal.SIGKILL)
        time.sleep(0)


if __name__ == "__main__":
    main()
