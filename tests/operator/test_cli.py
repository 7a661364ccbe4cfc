"""`python run.py`: with a command, without one, with a wrong one."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.operator.conftest import Operator
from tests.operator.test_backup import rows
from tests.support.server import DEADLINE, ROOT, ChatServer

RUN = str(ROOT / "run.py")


def test_every_command_is_listed(operator: Operator) -> None:
    shown = operator.runs("--help")
    assert shown.status == 0
    for command in ("serve", "backup", "restore", "doctor", "users"):
        assert command in shown.out


def test_an_unknown_command_is_refused(operator: Operator) -> None:
    refused = operator.runs("bakcup")
    assert refused.status == 2
    assert "No such command 'bakcup'" in refused.err


def test_a_wrong_setting_is_one_sentence(operator: Operator) -> None:
    operator.sets(port="many")
    refused = operator.runs("users", "list")
    assert refused.status == 2
    assert refused.err.startswith("Refused: PORT: ")


def test_a_database_that_does_not_answer_is_one_sentence(operator: Operator) -> None:
    operator.sets(database_url="postgresql://127.0.0.1:1/chat")
    refused = operator.runs("users", "list")
    assert refused.status == 2
    assert refused.err.startswith("Refused: the database ")
    assert "refused" in refused.err


def test_serve_serves(tmp_path: Path) -> None:
    """`ChatServer` waits for its health check."""
    with ChatServer(tmp_path, (sys.executable, RUN, "serve")) as server:
        assert server.url in server.log.read_text()


def test_without_its_packages_a_command_says_how_to_install_them(tmp_path: Path) -> None:
    process = subprocess.run(
        (sys.executable, "-S", RUN, "doctor"),
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert process.returncode == 1
    assert "pip install -r requirements.txt" in process.stderr
    assert "Traceback" not in process.stderr


def test_the_server_imports_no_command() -> None:
    code = "import run, sys, app.main, app.core.startup; sys.exit(repr({'typer', 'app.operator'} & {*sys.modules}))"
    process = subprocess.run(
        (sys.executable, "-c", code), check=False, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE
    )
    assert process.stderr.strip() == "set()"


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_on_a_terminal_long_work_shows_its_progress(operator: Operator, command: str) -> None:
    """With a relative path, which begins in the folder of the caller and not in that of the program."""
    operator.creates()
    if command == "restore":
        assert operator.runs("backup", "copy.db").status == 0
    shown = on_a_terminal(operator.folder, command, "copy.db")
    assert "Copying" in shown
    assert "100%" in shown
    assert rows(operator.folder / "copy.db", "SELECT count(*) FROM users") == [(3,)]


def on_a_terminal(folder: Path, *arguments: str, enters: tuple[str, ...] = ()) -> str:
    """Run a command on a terminal of its own. Each time it asks, it gets the next line. Returns what was shown."""
    controller, terminal = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    process = subprocess.Popen(
        (sys.executable, RUN, *arguments),
        cwd=folder, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    shown, answers, end = b"", list(enters), time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if not select.select([controller], [], [], 0.1)[0]:
            continue
        try:
            shown += os.read(controller, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if answers and shown.endswith(b": "):
            os.write(controller, f"{answers.pop(0)}\n".encode())
    os.close(controller)
    assert process.wait(DEADLINE) == 0, shown.decode()
    return shown.decode()
