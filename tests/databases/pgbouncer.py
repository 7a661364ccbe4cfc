"""PgBouncer as Debian has it, in front of a PostgreSQL of the tests."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Literal, Self

import psycopg

from tests.databases.servers import Postgres
from tests.support.server import free_port, wait_until

CONFIGURATION = """
[databases]
* = host={folder} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {sessions}
"""

PoolMode = Literal["session", "transaction"]


class PgBouncer:
    """Listens on a free port. It refuses to run as root, so it runs as PostgreSQL does."""

    def __init__(self, postgres: Postgres, mode: PoolMode, sessions: int) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
        self._folder.chmod(0o755)
        file = self._folder / "pgbouncer.ini"
        folder = str(Path(postgres.socket).parent)
        file.write_text(CONFIGURATION.format(folder=folder, port=self.port, mode=mode, sessions=sessions))
        self._log = self._folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                (str(find_pgbouncer()), str(file)), user=postgres.system_user, stdout=log, stderr=log
            )

    def __enter__(self) -> Self:
        wait_until(self._is_up, "PgBouncer to answer")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(30)
        shutil.rmtree(self._folder)

    def url(self, database: str, options: str = "") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}{options}"

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True


def find_pgbouncer() -> Path | None:
    """Debian installs it in a folder that only root has on its PATH."""
    found = shutil.which("pgbouncer", path="/usr/sbin") or shutil.which("pgbouncer")
    return Path(found) if found else None
