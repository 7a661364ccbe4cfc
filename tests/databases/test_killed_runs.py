"""A test run that is killed leaves no database server, no chat server and no folder behind."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support import watcher
from tests.support.server import ROOT, wait_until

PATIENCE = 400.0
"""Seconds for two database servers to be made on a busy machine."""
RUN = '''
"""A test that does not end, with every kind of server."""

import json
import time
from pathlib import Path

from tests.databases.servers import MariaDb, Postgres, find_mariadb
from tests.support.server import ChatServer


def test_forever(tmp_path: Path) -> None:
    databases = [Postgres(), *([MariaDb()] if {with_mariadb} and find_mariadb() else [])]
    server = ChatServer(tmp_path).start()
    pids = [server.process.pid, *(database.pid for database in databases)]
    with databases[0].frozen():
        part = tmp_path / "part"
        part.write_text(json.dumps({{"pids": pids, "folders": [str(one._folder) for one in databases]}}))
        part.rename(Path({ready!r}))
        time.sleep(600)
'''
"""Its PostgreSQL is frozen, as in the tests of silent databases: a stopped process does not act on a signal."""


@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    "how, workers", [(signal.SIGTERM, ("-n", "1")), (signal.SIGKILL, ())], ids=["worker", "alone"]
)
def test_a_killed_run_leaves_nothing_behind(
    tmp_path: Path, how: signal.Signals, workers: tuple[str, ...]
) -> None:
    ready = tmp_path / "ready.json"
    test = tmp_path / "test_forever.py"
    test.write_text(RUN.format(ready=str(ready), with_mariadb=not workers))  # once is enough
    pytest_run = (sys.executable, "-m", "pytest", "--no-cov", "-q", *workers, "-p", "tests.conftest")
    settings = (
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(ROOT),
        "--basetemp",
        str(tmp_path / "run"),
    )
    run = subprocess.Popen((*pytest_run, *settings, str(test)), cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: ready.exists() or run.poll() is not None, "a run with servers", PATIENCE)
        found = json.loads(ready.read_text())
        assert all(is_alive(pid) for pid in found["pids"])
    finally:
        run.send_signal(how)
        run.wait(PATIENCE)
    wait_until(lambda: not any(is_alive(pid) for pid in found["pids"]), "ended", PATIENCE)
    wait_until(lambda: not watcher.servers_of(found["folders"]), "ended", PATIENCE)
    wait_until(lambda: not any(Path(one).exists() for one in found["folders"]), "removed", PATIENCE)


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
