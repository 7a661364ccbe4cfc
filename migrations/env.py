"""Alembic's environment: migrates over the connection that the server passes, or from a shell over DATABASE_URL."""

from alembic import context
from sqlalchemy import Connection

from app.core.config import get_settings
from app.core.database import (
    Deadlines,
    migrations,
    repeatable_ddl,  # noqa: F401 - replaces Alembic's operations on MySQL and MariaDB
)
from app.core.database.engines import open_engines
from app.core.database.session_limits import lifted
from app.models import Base


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    # The server's own engine: with Python's default, SQLite commits every CREATE TABLE at once.
    writer = open_engines(get_settings().url, 2, Deadlines()).writer
    with writer.connect() as connection, lifted(connection), migrations.locked(connection):
        migrate(connection)
        connection.commit()
    writer.dispose()
