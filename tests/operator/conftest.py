"""Commands in this process, on a database in a temporary folder."""

import io
import logging
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import run
from app.core.config import Settings, get_settings
from app.core.database import Database
from app.operator import cli
from app.runtime import build_runtime


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int
    out: str
    err: str


class Operator:
    """An operator whose working directory is `folder`."""

    def __init__(
        self,
        folder: Path,
        new_database: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.folder = folder
        self._new_database = new_database
        self.database = folder / "chat.db"
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.sets(database_url=f"sqlite:///{self.database}")

    def sets(self, **settings: object) -> None:
        """Set these in the environment."""
        for name, value in settings.items():
            self._monkeypatch.setenv(name.upper(), str(value))
        get_settings.cache_clear()

    def runs(self, *arguments: str, stdin: str = "") -> Outcome:
        """Run one command, as `run.py` does."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        status = cli.run(arguments, self.folder, run.serve)
        captured = self._capsys.readouterr()
        return Outcome(status, " ".join(captured.out.split()), " ".join(captured.err.split()))

    def creates(self) -> None:
        """Create the database with the sample accounts, as the first start does."""
        shutil.copy(self._new_database, self.database)

    def opens(self) -> Database:
        return Database(get_settings().url, pool_size=1)


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database after its first start in development, to be copied."""
    path = tmp_path_factory.mktemp("new") / "chat.db"
    settings = Settings(_env_file=None, environment="development", database_url=f"sqlite:///{path}")
    runtime = build_runtime(settings, "k" * 32)
    runtime.prepare()
    runtime.passwords.close()
    runtime.database.close()
    return path


@pytest.fixture
def operator(
    tmp_path: Path, new_database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Operator]:
    """No setting comes from the environment or from a `.env`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield Operator(tmp_path, new_database, monkeypatch, capsys)
    root.handlers, root.level = handlers, level
    get_settings.cache_clear()
