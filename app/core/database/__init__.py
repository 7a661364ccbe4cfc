"""The database: sessions in threads, one writer for SQLite, a bounded pool for database servers."""

from app.core.database.database import Database, DatabaseUnavailable, Unknown
from app.core.database.unit_of_work import UnitOfWork

__all__ = ["Database", "DatabaseUnavailable", "UnitOfWork", "Unknown"]
