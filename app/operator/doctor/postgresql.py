"""Checks of a PostgreSQL server, and of a pooler in front of it."""

import secrets

from sqlalchemy import Connection, text

from app.core.database import Database
from app.operator.doctor.findings import Findings, fine, harm, note

DURABLE = {"fsync": "on", "full_page_writes": "on"}
LOOKS = 5
MARK = "chat.doctor"


def check(database: Database) -> Findings:
    """Isolation, durability, a replica, a pooler.

    No two transactions are open at once: a pooler with a single session would let the second wait for the first.
    """
    with database.writer.connect() as writer, database.reader.connect() as reader:
        levels = [_show(connection, "transaction_isolation") for connection in (writer, reader)]
        if levels != ["read committed", "repeatable read"]:
            yield harm("isolation", f"transactions run at {levels}; remove what sets it, in a pooler or role")
        else:
            yield fine("isolation", "read committed to write, repeatable read to read")
        if _show(writer, "transaction_read_only") == "on":
            yield harm("database", "is read-only; connect to the primary")
        yield from _durability(writer)
        yield from _pooler(writer, reader)


def pooler_advice(error: str) -> str:
    """What to add to an error at connecting that only a pooler raises."""
    if "unsupported startup parameter" not in error:
        return ""
    return "; leave PGOPTIONS out, or set ignore_startup_parameters in PgBouncer"


def _durability(writer: Connection) -> Findings:
    off = [name for name, value in DURABLE.items() if _show(writer, name) != value]
    if _show(writer, "synchronous_commit") == "off":
        off.append("synchronous_commit")
    if off:
        yield harm("durability", f"{', '.join(off)} is off; a crash loses acknowledged messages")
    else:
        yield fine("durability", "a commit is on the disk")


def _pooler(first: Connection, second: Connection) -> Findings:
    """A pooler reports a process of its own. In transaction mode two connections get the same session in turn."""
    if _reported(first) == _process(first) and _reported(second) == _process(second):
        yield fine("pooler", "none")
    elif _share_a_session(first, second):
        yield note("pooler", "is in transaction mode: limits are set in every transaction, a round trip more")
    else:
        yield note("pooler", "is there: limits are set in every transaction, a round trip more")


def _share_a_session(first: Connection, second: Connection) -> bool:
    mark = secrets.token_hex(8)
    for _ in range(LOOKS):
        first.execute(text("SELECT set_config(:name, :value, false)"), {"name": MARK, "value": mark})
        first.commit()
        seen = second.execute(text("SELECT current_setting(:name, true)"), {"name": MARK}).scalar()
        second.rollback()
        if seen == mark:
            return True
    return False


def _reported(connection: Connection) -> int:
    """The process that the other side named when the connection was made."""
    driver = connection.connection.driver_connection
    assert driver is not None
    pid: int = driver.info.backend_pid
    return pid


def _process(connection: Connection) -> int:
    pid: int = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    connection.rollback()
    return pid


def _show(connection: Connection, name: str) -> str:
    value: str = connection.execute(text(f"SHOW {name}")).scalar_one()
    connection.rollback()
    return value
