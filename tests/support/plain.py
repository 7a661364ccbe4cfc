"""The application under plain uvicorn: uvicorn's own protocol class and logging instead of those of `run.py`."""

import sys
from pathlib import Path

from tests.support.server import ChatServer


def plain_uvicorn(folder: Path, *options: str, **settings: object) -> ChatServer:
    """A server with the command `uvicorn app.main:app`, not started yet."""
    server = ChatServer(folder, (), **settings)
    server.command = (sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(server.port), *options)
    return server
