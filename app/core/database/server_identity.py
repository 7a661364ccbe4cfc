"""An SQL expression that tells which server, and which of its histories, a statement runs on."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Dialect, Engine, String, event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from app.core.logs import log

_ON_PRIMARY = "CASE WHEN pg_is_in_recovery() THEN '' ELSE"
_TIMELINE = "left(pg_walfile_name(pg_current_wal_lsn()), 8)"
_ALONE = "CONCAT_WS('/', @@hostname, @@port, @@server_id)"
_UNKNOWN = "'unknown'"

CANDIDATES: dict[str, Sequence[str]] = {
    "postgresql": (
        f"{_ON_PRIMARY} (SELECT system_identifier || '/' || {_TIMELINE} FROM pg_control_system()) END",  # noqa: S608
        f"{_ON_PRIMARY} {_TIMELINE} END",
        _UNKNOWN,
    ),
    "mysql": (
        f"IF(@@wsrep_on, CONCAT('galera/', @@wsrep_cluster_name), {_ALONE})",
        f"COALESCE(CONCAT('group/', NULLIF(@@group_replication_group_name, '')), {_ALONE})",
        _ALONE,
        _UNKNOWN,
    ),
    "sqlite": ("'file'",),
}
"""The first one that a server understands is used: managed servers lack functions, and other builds variables.

PostgreSQL: the system identifier of the cluster and its timeline, which every promotion of a standby and every recovery
to a point in time moves; empty on a standby. MariaDB and MySQL have no timeline: the name of a cluster whose nodes
share one history, or host, port and server id. A file of SQLite has no server: see `services.epochs.mark`.
"""
CANDIDATES["mariadb"] = CANDIDATES["mysql"]
_CHOSEN = "chat_server_identity"
"""The attribute of an engine's dialect that holds the expression."""


class ServerIdentity(FunctionElement[str]):
    """A text that stays the same for as long as the server's history only goes forward."""

    type = String()
    inherit_cache = True


@compiles(ServerIdentity)
def _compile(_element: ServerIdentity, compiler: Any, **_: Any) -> str:
    expression: str = getattr(compiler.dialect, _CHOSEN, CANDIDATES[compiler.dialect.name][0])
    return expression


def choose(engine: Engine) -> None:
    """Choose the expression when the engine connects for the first time, before it compiles a statement."""

    def on_connect(connection: Any, _record: object) -> None:
        if not hasattr(engine.dialect, _CHOSEN):
            _choose(connection, engine.dialect)

    event.listen(engine.pool, "connect", on_connect)


def _choose(connection: Any, dialect: Dialect) -> None:
    for expression in CANDIDATES[dialect.name]:
        cursor = connection.cursor()
        try:
            cursor.execute(f"SELECT {expression}")
            cursor.fetchall()
        except dialect.loaded_dbapi.Error:
            connection.rollback()
            continue
        finally:
            cursor.close()
        connection.rollback()
        if expression == _UNKNOWN:
            log.warning("epoch.server_unknown", advice="after a failover run: python run.py epoch --new")
        setattr(dialect, _CHOSEN, expression)
        return
