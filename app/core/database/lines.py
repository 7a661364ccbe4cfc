"""Lines: how the watchdog ends what a connection waits for, and how a pool tells it which connections are in use."""

import contextlib
import socket
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from app.core.database.jobs import Line, current_job
from app.core.database.session_limits import KEEPALIVE

PING_AFTER_SECONDS = 2.0
"""A connection that was idle for longer is tested before it is used. One that broke meanwhile costs an attempt."""


class SocketLine:
    """A second handle on a connection's socket: a driver allows no other thread, and its own handle may be closed, and
    its number used again, at any moment."""

    def __init__(self, fileno: int) -> None:
        self._socket = socket.fromfd(fileno, socket.AF_INET, socket.SOCK_STREAM)
        with contextlib.suppress(OSError):  # a Unix socket
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if sys.platform == "linux":
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE["idle"])
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE["interval"])
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE["count"])

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()

    __del__ = close  # a connection that could not be set up is closed without an event


class SqliteLine:
    """Interrupts the statement that runs. A wait for a lock ends by `busy_timeout`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def cut(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it has been closed
            self._connection.interrupt()

    def close(self) -> None: ...


def watch(pool: Pool, line_of: Callable[[Any], SocketLine | SqliteLine]) -> None:
    """Let the job of a thread know its connection from the moment it is open until it goes back or is closed."""

    def opened(connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["line"] = line_of(connection)
        record.info["used_at"] = time.monotonic()
        _attach(record)

    event.listen(pool, "connect", opened, insert=True)
    event.listen(pool, "checkout", lambda _connection, record, _fairy: _attach(record))
    event.listen(pool, "checkin", lambda _connection, record: _detach(record))
    event.listen(pool, "close", lambda _connection, record: _closed(record))


def ping_idle(pool: Pool, ping: Callable[[Any], object]) -> None:
    """Test connections that were idle before they are used: what a firewall has forgotten is silent for good.

    SQLAlchemy's own option would test each connection each time, which is a round trip for every message.
    """

    def check(connection: Any, record: ConnectionPoolEntry, _fairy: object) -> None:
        if time.monotonic() - record.info["used_at"] < PING_AFTER_SECONDS:
            return
        try:
            ping(connection)
        except Exception as error:
            raise InvalidatePoolError from error

    event.listen(pool, "checkout", check)


def _attach(record: ConnectionPoolEntry) -> None:
    job = current_job()
    line: Line | None = record.info.get("line")
    if job is not None and line is not None:
        job.attach(line)


def _detach(record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()
    job = current_job()
    if job is not None:
        job.detach()


def _closed(record: ConnectionPoolEntry) -> None:
    job = current_job()
    if job is not None:
        job.detach()
    line: SocketLine | SqliteLine | None = record.info.pop("line", None)
    if line is not None:
        line.close()
