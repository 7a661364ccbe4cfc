"""An SQL expression that tells which server, and which of its histories, a statement runs on."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class ServerIdentity(FunctionElement[str]):
    """A text that stays the same for as long as the server's history only goes forward.

    PostgreSQL: the system identifier of the cluster and its timeline, which every promotion of a standby and every
    recovery to a point in time moves. It costs some 20 µs. MariaDB and MySQL have no timeline: host, port and server
    id, or the name of a Galera cluster, whose nodes share one history. A file of SQLite has no server: see
    `services.epochs.mark`.
    """

    type = String()
    inherit_cache = True


@compiles(ServerIdentity)
def _constant(_element: ServerIdentity, _compiler: Any, **_: Any) -> str:
    return "'file'"


@compiles(ServerIdentity, "postgresql")
def _on_postgresql(_element: ServerIdentity, _compiler: Any, **_: Any) -> str:
    return (
        "CASE WHEN pg_is_in_recovery() THEN '' ELSE"
        " (SELECT system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)"
        " FROM pg_control_system()) END"
    )


@compiles(ServerIdentity, "mysql")
def _on_mysql(_element: ServerIdentity, _compiler: Any, **_: Any) -> str:
    return "CONCAT_WS('/', @@hostname, @@port, @@server_id)"


@compiles(ServerIdentity, "mariadb")
def _on_mariadb(_element: ServerIdentity, _compiler: Any, **_: Any) -> str:
    alone = _on_mysql(_element, _compiler)
    return f"IF(@@wsrep_on, CONCAT('galera/', @@wsrep_cluster_name), {alone})"
