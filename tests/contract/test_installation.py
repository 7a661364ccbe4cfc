"""What is installed: `make` takes the locks with their digests, and the list without digests has the same versions."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.server import ROOT

LOCKS = ("requirements.lock", "requirements-test.lock", "requirements-dev.lock")
PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z0-9,-]+\])?==([^\s;\\]+)(?: ; ([^\\\n]*[^\\\s]))?", re.MULTILINE)
PYTHON = """#!/bin/sh
echo "$*" >> "$0.log"
"""
"""A Python that only writes down what it was asked."""


def pins(name: str) -> dict[str, tuple[str, str]]:
    """Version and marker of each package."""
    text = (ROOT / name).read_text()
    return {package: (version, marker) for package, version, marker in PIN.findall(text)}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A clone whose Python installs nothing."""
    for name in ("Makefile", "requirements.txt", *LOCKS):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


def made(copy: Path, *targets: str) -> tuple[str, list[str]]:
    """What `make` prints, and what it asks pip for."""
    log = copy / ".venv" / "bin" / "python.log"
    log.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ("make", "--no-print-directory", *targets),
        cwd=copy,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    asked = log.read_text().splitlines() if log.exists() else []
    return done.stdout, [line.partition("--no-compile ")[2] for line in asked if "pip install" in line]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_digests(lock: str) -> None:
    for block in re.split(r"\n(?=[a-z])", (ROOT / lock).read_text())[1:]:
        assert PIN.match(block), block
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block


def test_the_locks_have_the_versions_of_the_plain_list() -> None:
    assert pins("requirements.lock") == pins("requirements.txt")
    for smaller, larger in (LOCKS[:2], LOCKS[1:]):
        assert pins(smaller).items() <= pins(larger).items()


def test_a_test_run_needs_no_tool_of_a_developer() -> None:
    """They would be a quarter of what is installed."""
    assert not pins("requirements-test.lock").keys() & {"mypy", "ruff", "uv", "import-linter"}


def test_make_says_what_an_installation_takes_and_checks_digests(copy: Path) -> None:
    said, asked = made(copy, "test")
    assert asked == ["--require-hashes -r requirements-test.lock", "-r requirements.txt"]
    assert re.match(r"Installing requirements-test.lock into .venv, .*: \d+ MB .*, a minute.\n", said)
    assert "All tests take some" in said
    said, asked = made(copy, "test", "ARGS=-x")
    assert (said, asked) == ("", []), "an installation is repeated only after a change"


def test_a_line_that_a_reader_adds_to_requirements_txt_is_installed(copy: Path) -> None:
    made(copy, "run")
    with (copy / "requirements.txt").open("a") as file:
        file.write("psycopg2-binary\n")
    _, asked = made(copy, "run")
    assert asked == ["--require-hashes -r requirements.lock", "-r requirements.txt"]


def test_the_documented_deployment_checks_digests() -> None:
    document = (ROOT / "docs" / "deploy.md").read_text()
    installed = re.findall(r"pip install [^`\n]*", document)
    assert installed
    assert set(installed) == {"pip install --require-hashes -r requirements.lock"}
