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
    """Every line pins an exact version; that they install together is what CI does before it comes here."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    assert len(pins) > 10
    for pin in pins:
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^ ]+( ; .+)?$", pin, re.IGNORECASE), pin


def test_run_the_application_with_python_run_py(tmp_path: Path) -> None:
    """From whatever folder one is in; it says where to look, and leaves nothing there."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    call = f"cd '{elsewhere}' && exec '{sys.executable}' '{ROOT / 'run.py'}'"
    with ChatServer(tmp_path, ("/bin/sh", "-c", call)) as server:
        assert server.stop() in (0, -SIGTERM), "it stops when it is told to"
        said = server.log.read_text()
    assert list(elsewhere.iterdir()) == []
    assert server.url in said or f"http://localhost:{server.port}" in said


def test_the_application_will_start_on_localhost_8000() -> None:
    settings = Settings(_env_file=None)
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_without_its_dependencies_it_says_what_to_do(tmp_path: Path) -> None:
    """`python run.py` before `pip install` is what everybody does once."""
    call = (sys.executable, "-S", str(ROOT / "run.py"))  # -S: no installed packages
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    tried = subprocess.run(
        call, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert tried.returncode == 1
    assert "pip install -r requirements.txt" in tried.stderr
    assert "Traceback" not in tried.stderr
