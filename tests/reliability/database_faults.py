"""Databases that fail in every way that operators know, and recover. Each fault returns once its cause is gone."""

import random
import socket
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, make_url

from tests.databases.servers import MariaDb, Postgres
from tests.support.cutting_proxy import CuttingProxy
from tests.support.server import wait_until

Fault = Callable[[random.Random], None]
MAX_PACKET = 60
"""A batch of messages takes some ten packets."""
MAX_SECONDS = 7.0
"""Long enough for every deadline of the server to pass."""


class FaultyDatabase(Protocol):
    @property
    def url(self) -> str:
        """DATABASE_URL for the chat server."""
        ...

    @property
    def faults(self) -> Mapping[str, Fault]: ...
    def close(self) -> None: ...


class FaultySqlite:
    """A file, beside another program that holds its lock for a while."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "chat.db"
        self.url = f"sqlite:///{self._path}"
        self.faults: Mapping[str, Fault] = {"locked": self._lock, "locked for reading": self._read}

    def _lock(self, rng: random.Random) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=10)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(rng.uniform(0.1, MAX_SECONDS))
            other.execute("ROLLBACK")

    def _read(self, rng: random.Random) -> None:
        """A reader with an old snapshot: the log cannot be truncated meanwhile."""
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=10)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM messages").fetchall()
            time.sleep(rng.uniform(0.1, MAX_SECONDS))

    def close(self) -> None: ...


class _Networked:
    """What can happen to every server: its network, its process, its mode."""

    def __init__(self, url: URL, proxy: CuttingProxy) -> None:
        self.url = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        self.proxy = proxy
        self.faults: dict[str, Fault] = {
            "cut": lambda rng: self._wait_for(
                proxy.cut(rng.randint(1, MAX_PACKET), delivered=rng.random() < 0.5)
            ),
            "delayed": lambda rng: self._wait_for(
                proxy.delay(rng.randint(1, MAX_PACKET), rng.uniform(0.1, MAX_SECONDS))
            ),
            "swallowed": self._swallow,
            "forgotten": lambda _: proxy.forget(),
            "frozen": self._freeze,
        }

    def _wait_for(self, fault: AbstractContextManager[None]) -> None:
        with fault:
            end = time.monotonic() + MAX_SECONDS
            while not self.proxy.has_cut and time.monotonic() < end:
                time.sleep(0.01)

    def _swallow(self, rng: random.Random) -> None:
        with self.proxy.swallow(rng.randint(1, MAX_PACKET)):
            time.sleep(rng.uniform(0.1, MAX_SECONDS))

    def _freeze(self, rng: random.Random) -> None:
        with self._frozen():
            time.sleep(rng.uniform(0.1, MAX_SECONDS))

    def _frozen(self) -> AbstractContextManager[None]:
        raise NotImplementedError


class FaultyMariaDb(_Networked):
    def __init__(self) -> None:
        self._server = MariaDb()
        url = make_url(self._server.new_database())
        super().__init__(url, CuttingProxy(socket.AF_INET, (str(url.host), url.port or 3306)))
        self.faults["read-only"] = self._read_only

    def _frozen(self) -> AbstractContextManager[None]:
        return self._server.frozen()

    def _read_only(self, rng: random.Random) -> None:
        self._server.set_read_only(True)
        time.sleep(rng.uniform(0.1, MAX_SECONDS))
        self._server.set_read_only(False)

    def close(self) -> None:
        self.proxy.close()
        self._server.close()


class FaultyPostgres(_Networked):
    """A primary with a synchronous standby, which takes over without a loss."""

    def __init__(self) -> None:
        self._primary = Postgres()
        url = make_url(self._primary.new_database())
        super().__init__(
            url.difference_update_query(["host"]), CuttingProxy(socket.AF_UNIX, self._primary.socket)
        )
        self._standby = self._new_standby()
        self.faults |= {
            "read-only": self._read_only,
            "terminated": lambda _: self._terminate(),
            "failed over": lambda _: self._fail_over(),
        }

    def _frozen(self) -> AbstractContextManager[None]:
        return self._primary.frozen()

    def _terminate(self) -> None:
        self._primary.terminate_connections()

    def _read_only(self, rng: random.Random) -> None:
        self._primary.set_read_only(True)
        time.sleep(rng.uniform(0.1, MAX_SECONDS))
        self._primary.set_read_only(False)

    def _fail_over(self) -> None:
        old = self._primary
        old.kill()
        self._standby.promote()
        self._primary = self._standby
        self.proxy.redirect(self._primary.socket)
        old.close()
        self._standby = self._new_standby()

    def _new_standby(self) -> Postgres:
        """A standby that has everything that is acknowledged from now on."""
        standby = Postgres(standby_of=self._primary)
        self._primary.runs("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._primary.runs("SELECT pg_reload_conf()")
        is_synchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
        wait_until(lambda: bool(self._primary.runs(is_synchronous)), "a synchronous standby")
        return standby

    def close(self) -> None:
        self.proxy.close()
        self._primary.runs("ALTER SYSTEM RESET synchronous_standby_names")
        self._primary.runs("SELECT pg_reload_conf()")
        self._standby.close()
        self._primary.close()
