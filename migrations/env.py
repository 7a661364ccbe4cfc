"""Alembic's environment: migrates over the connection that the server passes, or from a shell over DATABASE_URL."""

from alembic import context
from sqlalchemy import Connection, create_engine

from app.core.config import get_settings
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
    with create_engine(get_settings().url).connect() as connection:
        migrate(connection)
        connection.commit()
