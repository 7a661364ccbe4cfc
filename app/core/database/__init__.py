"""The database: sessions in threads, one writer for SQLite, a bounded pool for database servers."""

from app.core.database.database import Database
from app.core.database.deadlines import Deadlines
from app.core.database.failures import DatabaseUnavailable, Unknown
from app.core.database.unit_of_work import UnitOfWork

__all__ = ["Database", "DatabaseUnavailable", "Deadlines", "UnitOfWork", "Unknown"]
