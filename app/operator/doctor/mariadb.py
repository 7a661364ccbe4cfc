"""Checks of a MariaDB or MySQL server."""

from sqlalchemy import Connection, text

from app.core.database import Database
from app.operator.doctor.findings import Findings, fine, harm


def check(database: Database) -> Findings:
    """Isolation, durability, a replica, engines that know no transactions."""
    with database.writer.connect() as writer, database.reader.connect() as reader:
        levels = [_isolation(connection) for connection in (writer, reader)]
        if levels != ["READ-COMMITTED", "REPEATABLE-READ"]:
            yield harm("isolation", f"transactions run at {levels}; remove what sets it, such as a proxy")
        else:
            yield fine("isolation", "read committed to write, repeatable read to read")
        if _variables(writer, "read_only").get("read_only") == "ON":
            yield harm("database", "is read-only; connect to the primary")
        flush = _variables(writer, "innodb_flush_log_at_trx_commit").get("innodb_flush_log_at_trx_commit")
        if flush != "1":
            yield harm(
                "durability",
                f"innodb_flush_log_at_trx_commit is {flush}; a crash loses acknowledged messages: set it to 1",
            )
        else:
            yield fine("durability", "a commit is on the disk")
        if tables := _without_transactions(writer):
            yield harm("tables", f"{', '.join(tables)} know no transactions; ALTER TABLE … ENGINE=InnoDB")


def _isolation(connection: Connection) -> str:
    """The variable has one name in MySQL, the other in older MariaDB, and both in newer."""
    found = _variables(connection, "t%isolation")
    return found.get("transaction_isolation") or found.get("tx_isolation", "unknown")


def _variables(connection: Connection, pattern: str) -> dict[str, str]:
    rows = connection.execute(text("SHOW SESSION VARIABLES LIKE :pattern"), {"pattern": pattern})
    return dict(rows.all())


def _without_transactions(connection: Connection) -> list[str]:
    query = text(
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'"
    )
    return sorted(connection.scalars(query))
