"""Servers that are there in a moment: a process that has imported the program forks one whenever it is told to.

What runs is `run.main()`, as with `python run.py`; only the second that imports take is saved, so that twenty seconds
of test hold many kills. The server is a process of its own, and `kill -9` hits it alone.
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


class Nursery:
    """The process that forks. Leaving it ends every server that is left."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.reliability.nursery"),
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
            raise RuntimeError(f"the nursery has ended: {Path(self._log.name).read_text()[-2000:]}")
        return int(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=20)
        self._log.close()


class NurseryServer(ChatServer):
    """A ChatServer that a nursery forks."""

    def __init__(self, folder: Path, nursery: Nursery, **settings: object) -> None:
        super().__init__(folder, (), **settings)
        self._nursery = nursery
        self._pid = 0

    def start(self) -> "NurseryServer":
        self._pid = self._nursery.fork(self.settings, self.log)
        wait_until(self._answers, f"answering; its log: {self.log}")
        return self

    def _end(self, how: signal.Signals) -> int:
        os.kill(self._pid, how)
        wait_until(lambda: not _lives(self._pid), f"the end of {self._pid}")
        self._pid = 0
        return -how

    def _answers(self) -> bool:
        if not _lives(self._pid):
            raise RuntimeError(f"it ended: {self.log.read_text()[-2000:]}")
        return self._is_healthy()

    def __exit__(self, *_: object) -> None:
        if self._pid:
            self.kill()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _serve(settings: dict[str, str], log: str) -> None:
    """In the forked process: be the server."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((0, nothing), (1, output), (2, output)):
        os.dup2(new, old)
    os.environ.update(settings)
    from tests.reliability import faults  # noqa: PLC0415 - after the fork, and only in it

    faults.plant(os.environ.get("PLANTED_FAULT", ""))
    import run  # noqa: PLC0415

    os._exit(run.main())


def main(orders: IO[str] = sys.stdin) -> None:
    """Fork a server for every line of standard input; end with it."""
    import app.main  # noqa: F401, PLC0415 - what takes the time
    import run  # noqa: F401, PLC0415

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them, so they shall not stay as zombies
    children = []
    while order := orders.readline():
        wanted = json.loads(order)
        pid = os.fork()
        if pid == 0:
            _serve(wanted["settings"], wanted["log"])
        children.append(pid)
        print(pid, flush=True)
    for pid in filter(_lives, children):
        os.kill(pid, signal.SIGKILL)
        time.sleep(0)


if __name__ == "__main__":
    main()
