"""The section "Quick Start" of the document."""

import os
import re
import subprocess
import sys
from pathlib import Path
from signal import SIGTERM

from app.core.config import Settings
from tests.support.server import ROOT, ChatServer


def test_install_dependencies_with_pip_install_r_requirements_txt() -> None:
    """Every line pins an exact version. CI has installed them together before this test runs."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    assert len(pins) > 10
    for pin in pins:
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^ ]+( ; .+)?$", pin, re.IGNORECASE), pin


def test_run_the_application_with_python_run_py(tmp_path: Path) -> None:
    """In any working directory: the server logs its address and writes no files there."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = f"cd '{elsewhere}' && exec '{sys.executable}' '{ROOT / 'run.py'}'"
    with ChatServer(tmp_path, ("/bin/sh", "-c", command)) as server:
        assert server.stop() in (0, -SIGTERM), "it stops on SIGTERM"
        log = server.log.read_text()
    assert list(elsewhere.iterdir()) == []
    assert server.url in log or f"http://localhost:{server.port}" in log


def test_the_application_will_start_on_localhost_8000() -> None:
    settings = Settings(_env_file=None)
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_without_its_dependencies_the_application_says_how_to_install_them(tmp_path: Path) -> None:
    """`python run.py` before `pip install` is a common mistake."""
    command = (sys.executable, "-S", str(ROOT / "run.py"))  # -S: no installed packages
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.run(
        command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 1
    assert "pip install -r requirements.txt" in process.stderr
    assert "Traceback" not in process.stderr
