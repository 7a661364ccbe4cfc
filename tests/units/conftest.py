"""Settings and a database for the tests of single parts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.core.config import Settings
from app.core.database import Database, migrations


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting comes from the environment or from a `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A new SQLite database in a file, with our tables."""
    database = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=2)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda connection: None)
    yield database
    database.close()
