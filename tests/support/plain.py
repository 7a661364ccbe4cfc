"""The application under uvicorn as everybody runs it: its own protocol, its own logging, no help of ours."""

import sys
from pathlib import Path

from tests.support.server import ChatServer


def plain_uvicorn(folder: Path, *options: str, **settings: object) -> ChatServer:
    """`uvicorn app.main:app`, not started yet."""
    server = ChatServer(folder, (), **settings)
    server.command = (sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(server.port), *options)
    return server
