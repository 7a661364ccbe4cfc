"""Installs the peers: Python ones in an environment of their own, Node ones beside it."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.peers import VENV

HERE = Path(__file__).parent
SAME = (
    "fastapi",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "websockets",
    "sqlalchemy",
    "orjson",
    "pyjwt",
)
"""What the peers share with this project has the same version, or the comparison would be of versions."""


def pins() -> list[str]:
    """`name==version` for what this project has installed of `SAME`."""
    found = []
    for name in SAME:
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            continue
    return found


def install() -> None:
    """Make `benchmarks/.venv` and `benchmarks/node_modules`. Asks PyPI and npm, and says what it runs."""
    if not VENV.exists():
        _run(sys.executable, "-m", "venv", str(HERE / ".venv"))
        _run(str(VENV), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements.txt"), *pins())
    if not (HERE / "node_modules").exists():
        _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(HERE))


def _run(*command: str) -> None:
    print("$", " ".join(command), flush=True)
    subprocess.run(command, check=True)
