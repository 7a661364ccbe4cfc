"""Installs the peers: those in Python in their own environment, those in Node.js beside it."""

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
"""Packages that the peers share with this project have the same version; otherwise versions would be compared."""


def pins() -> list[str]:
    """`name==version` for each package of `SAME` that this project has installed."""
    found = []
    for name in SAME:
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            continue
    return found


def install() -> None:
    """Create `benchmarks/.venv` and `benchmarks/node_modules` from PyPI and npm, and print each command."""
    if not VENV.exists():
        _run(sys.executable, "-m", "venv", str(HERE / ".venv"))
        _run(str(VENV), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements.txt"), *pins())
    if not (HERE / "node_modules").exists():
        _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(HERE))


def _run(*command: str) -> None:
    print("$", " ".join(command), flush=True)
    subprocess.run(command, check=True)
