"""One client's connection: its frames in, its events out."""

from app.websocket.connection.connection import Connection, ConnectionDeps

__all__ = ["Connection", "ConnectionDeps"]
