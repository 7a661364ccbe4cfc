"""The identity of a server is told by what it understands, and by a constant as the last resort."""

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import URL, Engine, select

from app.core.config import Settings
from app.core.database import server_identity
from app.core.database.deadlines import Deadlines
from app.core.database.engines import Engines, open_engines
from app.core.database.server_identity import CANDIDATES, ServerIdentity


@pytest.fixture
def url(settings: Settings) -> URL:
    return settings.url


def identity(engine: Engine) -> str:
    with engine.connect() as connection:
        return connection.execute(select(ServerIdentity())).scalar_one()


@pytest.fixture
def engines(url: URL) -> Iterator[Engines]:
    opened = open_engines(url, 2, Deadlines())
    yield opened
    opened.writer.dispose()
    opened.reader.dispose()


def test_writers_and_readers_of_one_server_name_it_alike(engines: Engines) -> None:
    assert identity(engines.writer) == identity(engines.reader) not in ("", "unknown")


def test_a_server_that_understands_less_is_told_by_less(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = engines.writer.dialect.name
    if name == "sqlite":
        pytest.skip("SQLite has no server")
    candidates: Sequence[str] = ("no_such_function()", *CANDIDATES[name][1:])
    monkeypatch.setitem(server_identity.CANDIDATES, name, candidates)
    assert identity(engines.writer) not in ("", "unknown")
    monkeypatch.setitem(server_identity.CANDIDATES, name, ("no_such_function()", candidates[-1]))
    assert identity(engines.reader) == "unknown"
