"""How `doctor` judges what differs from one machine to another: keys, files that can be open, and room on the disk."""

import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core.config import Settings
from app.core.security.signing_key import WELL_KNOWN, key_file
from app.operator.doctor import installation
from app.operator.doctor.findings import Findings, Level

MB = 1 << 20


def judged(check: Callable[[Settings], Findings], settings: Settings) -> tuple[Level, str]:
    (found,) = check(settings)
    return found.level, found.text


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'chat.db'}", secret_key=None)


def test_a_key_from_a_document_is_worth_a_note(settings: Settings) -> None:
    public = max(WELL_KNOWN, key=len)
    level, text = judged(installation.key, settings.model_copy(update={"secret_key": public}))
    assert (level, "public document" in text) == (Level.NOTE, True)


def test_a_key_file_that_is_too_short_does_harm(settings: Settings) -> None:
    key_file(settings).write_text("abc")
    level, text = judged(installation.key, settings)
    assert (level, "too short" in text) == (Level.HARM, True)


@pytest.mark.parametrize(
    "limit, expected", [(256, Level.HARM), (4096, Level.NOTE), (1 << 20, Level.FINE)], ids=str
)
def test_few_descriptors_do_harm(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, limit: int, expected: Level
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    level, text = judged(installation.descriptors, settings)
    assert (level, str(limit) in text) == (expected, True)


@pytest.mark.parametrize(
    "free, expected", [(1 * MB, Level.HARM), (600 * MB, Level.NOTE), (9000 * MB, Level.FINE)], ids=str
)
def test_a_full_disk_does_harm_and_one_without_room_for_a_restore_is_worth_a_note(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, expected: Level
) -> None:
    assert settings.database_file is not None
    with settings.database_file.open("wb") as database:
        database.truncate(1000 * MB)  # without blocks
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert judged(installation.disk, settings)[0] is expected


def test_a_database_elsewhere_has_its_own_disk(settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"database_url": "postgresql://chat@db.example.com/chat"})
    assert list(installation.disk(elsewhere)) == []
