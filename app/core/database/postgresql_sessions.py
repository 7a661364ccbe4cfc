"""Sessions of PostgreSQL: their limits, the operator's own options, and a pooler in between.

A pooler such as PgBouncer refuses start-up parameters that it does not know, and in transaction mode it gives each
transaction whatever session is free. So settings are made with SQL: once per session, or through a pooler once per
transaction; and no statement is prepared through a pooler.
"""

import re
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.database.deadlines import Deadlines
from app.core.database.session_limits import KEEPALIVE

_ONLY_DIRECT = {"client_connection_check_interval", *(f"tcp_keepalives_{name}" for name in KEEPALIVE)}
"""They concern the connection between client and server, and through a pooler there is none."""
_OPTIONAL = {"client_connection_check_interval"}
"""PostgreSQL refuses this on systems where it cannot look at a socket without reading it."""
_IS_POOLED = "is_pooled"

_WORD = re.compile(r"(?:\\.|[^\s\\])+")
_SETTING = re.compile(r"(?:-c|--)?([\w.-]+)=(.*)", re.DOTALL)


class Options(NamedTuple):
    """What the operator wrote as `?options=` into the address."""

    settings: dict[str, str]
    rest: str
    """Flags that are no settings; they remain a start-up parameter."""


def split_options(text: str) -> Options:
    """Read options as PostgreSQL does: words, in which a backslash makes a space part of a value, with settings as
    `-c name=value`, `-cname=value` or `--name=value`."""
    settings: dict[str, str] = {}
    rest: list[str] = []
    words = iter(_WORD.findall(text))
    for word in words:
        whole = word if word != "-c" else "-c" + next(words, "")
        found = _SETTING.fullmatch(whole) if whole.startswith(("-c", "--")) else None
        if found is None:
            rest.append(whole)
        else:
            settings[found[1].replace("-", "_")] = re.sub(r"\\(.)", r"\1", found[2])
    return Options(settings, " ".join(rest))


def without_options(url: URL) -> tuple[URL, Options]:
    """The address without its options."""
    given = url.query.get("options", "")
    text = given if isinstance(given, str) else " ".join(given)
    return url.difference_update_query(["options"]), split_options(text)


def limits(deadlines: Deadlines) -> dict[str, str]:
    """The settings of our own, of which the operator may override each."""
    seconds = {
        "lock_timeout": deadlines.lock,
        "statement_timeout": deadlines.run,
        "idle_in_transaction_session_timeout": deadlines.idle_transaction,
        "client_connection_check_interval": deadlines.lock,
    }
    milliseconds = {name: str(round(value * 1000)) for name, value in seconds.items()}
    return milliseconds | {f"tcp_keepalives_{name}": str(number) for name, number in KEEPALIVE.items()}


class Sessions:
    """Makes the settings of every session of an engine, or of every transaction behind a pooler."""

    def __init__(self, engine: Engine, deadlines: Deadlines, own: dict[str, str]) -> None:
        self._engine = engine
        self._limits = {name: value for name, value in limits(deadlines).items() if name not in own}
        self._own = own
        self._in_transaction = sql.SQL("SELECT {}").format(
            sql.SQL(", ").join(
                sql.SQL("set_config({}, {}, true)").format(name, value)
                for name, value in (self._limits | own).items()
                if name not in _ONLY_DIRECT
            )
        )
        self._knows_a_pooler = False

    def set_up(self, connection: Any, record: ConnectionPoolEntry) -> None:
        """Set up a psycopg connection that nothing uses yet; a server too old for a limit goes without it."""
        connection.autocommit = True
        try:
            is_pooled = self._set_in_session(connection, self._limits)
        except psycopg.errors.InvalidParameterValue:
            names = self._limits.keys() - _OPTIONAL
            is_pooled = self._set_in_session(connection, {name: self._limits[name] for name in names})
        connection.autocommit = False
        record.info[_IS_POOLED] = is_pooled
        if is_pooled:
            connection.prepare_threshold = None
            if not self._knows_a_pooler:  # without one, transactions are spared the event
                self._knows_a_pooler = True
                event.listen(self._engine, "begin", self._begin)

    def _set_in_session(self, connection: Any, limits: dict[str, str]) -> bool:
        """Make the settings, unless a pooler is there, and return whether it is: the process that answers is then not
        the one that was named at connecting. What PGOPTIONS sets (`source = 'client'`) is left alone."""
        rows = [(name, value, False) for name, value in limits.items()]
        rows += [(name, value, True) for name, value in self._own.items()]
        values = sql.SQL(", ").join(
            sql.SQL("({}, {}, {})").format(name, value, is_own) for name, value, is_own in rows
        )
        query = sql.SQL(
            "SELECT is_direct, CASE WHEN is_direct AND (is_own OR source <> 'client')"
            " THEN set_config(name, value, false) END"
            " FROM (SELECT pg_backend_pid() = {} AS is_direct) AS session,"
            " (VALUES {}) AS settings (name, value, is_own) LEFT JOIN pg_catalog.pg_settings USING (name)"
        ).format(connection.info.backend_pid, values)
        is_direct: bool = connection.execute(query).fetchone()[0]
        return not is_direct

    def _begin(self, connection: Connection) -> None:
        """Make the settings for one transaction."""
        pooled = connection.connection
        if pooled.info[_IS_POOLED]:
            driver: Any = pooled.driver_connection
            driver.execute(self._in_transaction)
