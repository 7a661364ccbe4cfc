"""Restores that are killed: `python -m tests.operator.killed_restores DATABASE BACKUP`, one for every step.

A process that has imported everything forks one for each step. The child counts what it does to files (audit events,
PEP 578) and kills itself before event number N. After each the parent writes a line of JSON: what is left in the
folder, whether a server may start, and what a second restore makes of it. The last line is of a restore that came to
its end.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from app.core.config import ConfigurationError, Settings
from app.core.database import file_lock
from app.operator.restore import restore
from tests.operator.folders import contents, kept, place

CHANGES = {"os.rename", "os.remove", "os.truncate", "os.chown", "os.link", "sqlite3.connect", "open"}


def main(database: Path, backup: Path) -> None:
    originals = {path.name: path.read_bytes() for path in database.parent.iterdir()}
    step, is_complete = 0, False
    while not is_complete:
        place(database.parent, originals)
        is_complete = forked(partial(killed, database, backup, step)) == 0
        left = {
            "step": step,
            "is_complete": is_complete,
            "may_start": may_start(database),
            "content": contents(database) if may_start(database) else None,
            "kept": [contents(path) for path in kept(database)],
        }
        assert forked(partial(restored, database, backup)) == 0
        again = {"content": contents(database), "may_start": may_start(database)}
        again["kept"] = [contents(path) for path in kept(database)]
        again["files"] = sorted(path.name for path in database.parent.iterdir())
        print(json.dumps(left | {"again": again}), flush=True)
        step += 1


def killed(database: Path, backup: Path, step: int) -> None:
    events = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal events
        if event not in CHANGES or (event == "open" and not is_writing(arguments)):
            return
        if events == step:
            os.kill(os.getpid(), signal.SIGKILL)
        events += 1

    sys.addaudithook(count)
    restored(database, backup)


def is_writing(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def restored(database: Path, backup: Path) -> None:
    restore(Settings(database_url=f"sqlite:///{database}"), backup, lambda _: lambda done, total: None)


def forked(work: Callable[[], None]) -> int:
    """Run this in a child. Returns its status."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def may_start(database: Path) -> bool:
    try:
        with file_lock.shared(database):
            return True
    except ConfigurationError:
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
