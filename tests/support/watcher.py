"""Ends what a test run leaves behind when it is killed.

Each test process has one watcher, which holds the end of a pipe. However the test process ends, the pipe closes; the
watcher then ends the servers whose data are in a watched folder, removes these folders, and ends every process that
inherited the mark of the test process. PostgreSQL needs a folder: it detaches itself and overwrites its environment.
"""

import atexit
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

MARK = "CHAT_TESTS_OF"
GRACE_SECONDS = 3.0
"""For processes that are about to end by themselves."""
SHUTDOWN_SECONDS = 10.0
"""For a database server to give back its shared memory; then it is killed."""

_watchers: dict[int, subprocess.Popen[bytes]] = {}
"""By process id: a forked process does not write to the watcher of its parent."""


def start() -> None:
    """Mark this process and what it starts from now on, and start its watcher."""
    if os.getpid() in _watchers:
        return
    mark = f"{os.getpid()}-{secrets.token_hex(8)}"
    os.environ[MARK] = mark
    _watchers[os.getpid()] = subprocess.Popen(
        (sys.executable, __file__, mark),
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl+C is for the tests
    )
    atexit.register(stop)


def stop() -> None:
    """Let the watcher look once, and wait for it: a run that ends by itself should leave nothing behind either."""
    watcher = _watchers.pop(os.getpid(), None)
    if watcher is not None:
        watcher.communicate()


def watch(folder: Path) -> None:
    """End the servers whose command names this folder, and remove it, when this process ends."""
    start()
    pipe = _watchers[os.getpid()].stdin
    assert pipe is not None
    pipe.write(f"{folder}\n".encode())
    pipe.flush()


def servers_of(folders: Iterable[str]) -> list[psutil.Process]:
    """Servers that were started with one of these folders, and the processes that they started."""
    found = processes(lambda one: any(folder in part for folder in folders for part in one.cmdline()))
    for server in list(found):
        with contextlib.suppress(psutil.Error):
            found += server.children(recursive=True)
    return found


def marked(mark: str) -> list[psutil.Process]:
    return processes(lambda one: one.environ().get(MARK) == mark)


def processes(condition: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if one.pid != os.getpid() and one.status() != psutil.STATUS_ZOMBIE and condition(one):
                found.append(one)
    return found


def send(to: Iterable[psutil.Process], *signals: signal.Signals) -> None:
    for one in to:
        for each in signals:
            with contextlib.suppress(psutil.Error):
                one.send_signal(each)


def until_gone(find: Callable[[], list[psutil.Process]], seconds: float) -> list[psutil.Process]:
    """The processes that are still there after this time."""
    end = time.monotonic() + seconds
    while (found := find()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def clean_up(mark: str, folders: list[str]) -> None:
    until_gone(lambda: marked(mark), GRACE_SECONDS)
    while found := marked(mark):
        send(found, signal.SIGKILL)
        time.sleep(0.1)
    send(
        servers_of(folders), signal.SIGCONT, signal.SIGQUIT
    )  # they may have been stopped; at once, for PostgreSQL
    until_gone(lambda: servers_of(folders), SHUTDOWN_SECONDS)
    while found := servers_of(folders):
        send(found, signal.SIGKILL)
        time.sleep(0.1)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    clean_up(sys.argv[1], [line.decode().rstrip("\n") for line in sys.stdin.buffer])
