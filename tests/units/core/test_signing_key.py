"""The key that signs tokens: from the settings, or generated once and stored."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.config import ConfigurationError, Settings
from app.core.security.signing_key import WELL_KNOWN, signing_key
from tests.support.server import ROOT

pytestmark = pytest.mark.usefixtures("nothing_set")

OWN = "x7Jq-my own long secret key-2Vd9"


def settings(folder: Path, **given: object) -> Settings:
    return Settings.model_validate({"database_url": f"sqlite:///{folder}/chat.db"} | given)


def test_a_key_from_the_settings_is_used(tmp_path: Path) -> None:
    assert signing_key(settings(tmp_path, secret_key=OWN)) == OWN
    assert list(tmp_path.iterdir()) == []


def test_a_missing_key_is_generated_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    made = signing_key(settings(tmp_path))
    assert len(made) == 64
    assert signing_key(settings(tmp_path)) == made
    stored = tmp_path / "chat.secret"
    assert [*tmp_path.iterdir()] == [stored]
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600


def test_another_installation_gets_another_key(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert signing_key(settings(tmp_path)) != signing_key(settings(tmp_path / "other"))


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from app.core.security import signing_key\n"
        "sys.stdin.readline()\n"
        "print(signing_key._stored_key(pathlib.Path(sys.argv[1])))"
    )
    command = (sys.executable, "-c", program, str(tmp_path / "new folder" / "chat.secret"))
    starting = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = [process.communicate(timeout=30)[0].strip() for process in starting]
    assert len(keys[0]) == 64
    assert len(set(keys)) == 1
    assert len(list((tmp_path / "new folder").iterdir())) == 1, "no temporary file is left"


@pytest.mark.parametrize("key", [None, *sorted(WELL_KNOWN), "a" * 64])
def test_production_does_not_start_without_a_key_of_its_own(tmp_path: Path, key: str | None) -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY") as refused:
        signing_key(settings(tmp_path, environment="production", secret_key=key))
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("environment", ["development", "production", "test"])
def test_a_short_key_is_refused_everywhere(tmp_path: Path, environment: str) -> None:
    with pytest.raises(ConfigurationError, match="32 bytes"):
        signing_key(settings(tmp_path, environment=environment, secret_key="x7Jq-short"))


def test_the_key_of_the_specification_works_in_development(tmp_path: Path) -> None:
    key = "your-secret-key-change-this-in-production"
    assert signing_key(settings(tmp_path, secret_key=key)) == key
