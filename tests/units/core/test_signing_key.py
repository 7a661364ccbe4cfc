"""The key that signs tokens: from the settings, or generated once and stored."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core.config import ConfigurationError, Settings
from app.core.security.signing_key import WELL_KNOWN, previous_keys, signing_key
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
        "print(signing_key._stored_key(pathlib.Path(sys.argv[1])).text)"
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


FILES = {
    "missing": (None, 0o600, "No such file or directory"),
    "empty": (b"", 0o600, "shorter than 32 bytes"),
    "of 3 bytes": (b"abc", 0o600, "shorter than 32 bytes"),
    "no text": (b"\xff" * 40, 0o600, "is not text"),
    "too long": (b"k" * 5000, 0o600, "is it the right file?"),
    "for all to read": (OWN.encode(), 0o644, "run:  chmod 600"),
    "for the group to write": (OWN.encode(), 0o660, "run:  chmod 600"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_wrong_key_file_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    content, mode, sentence = FILES[what]
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    with pytest.raises(ConfigurationError) as refused:
        signing_key(settings(tmp_path, secret_key_file=file))
    assert sentence in str(refused.value)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert OWN not in str(refused.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_generated_key_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    signing_key(settings(tmp_path))
    (tmp_path / "chat.secret").chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        signing_key(settings(tmp_path))


def test_a_generated_key_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chat.secret").touch(0o600)
    with pytest.raises(ConfigurationError, match="is too short; delete it"):
        signing_key(settings(tmp_path))


def test_a_key_from_a_file_is_used_without_the_line_break(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{OWN}\n")
    file.chmod(0o400)
    assert signing_key(settings(tmp_path, secret_key_file=file, environment="production")) == OWN


@pytest.mark.parametrize("flag, text", [(os.ST_RDONLY, OWN), (0, None)])
def test_modes_count_only_where_they_can_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: int, text: str | None
) -> None:
    """A container's secrets are readable by all, on a mount that is read-only."""
    file = tmp_path / "key"
    file.write_text(OWN)
    file.chmod(0o444)
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_flag=flag))
    if text is None:
        with pytest.raises(ConfigurationError, match="chmod 600"):
            signing_key(settings(tmp_path, secret_key_file=file))
    else:
        assert signing_key(settings(tmp_path, secret_key_file=file)) == text


def test_a_folder_where_nothing_can_be_tried_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text(OWN)
    file.chmod(0o644)

    def refuse(**_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        signing_key(settings(tmp_path, secret_key_file=file))


def test_two_keys_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="both set"):
        signing_key(settings(tmp_path, secret_key=OWN, secret_key_file=tmp_path / "key"))


@pytest.mark.parametrize("environment", ["development", "production"])
def test_the_checks_hold_for_a_file_and_for_the_previous_key(tmp_path: Path, environment: str) -> None:
    file = tmp_path / "key"
    file.write_text(min(WELL_KNOWN))
    file.chmod(0o600)
    for given in (
        {"secret_key_file": file},
        {"secret_key": OWN, "secret_key_previous": min(WELL_KNOWN)},
    ):
        if environment == "production":
            with pytest.raises(ConfigurationError, match="SECRET_KEY of your own"):
                signing_key(settings(tmp_path, environment=environment, **given))
        else:
            assert signing_key(settings(tmp_path, environment=environment, **given))
    with pytest.raises(ConfigurationError, match="SECRET_KEY_PREVIOUS is shorter"):
        signing_key(settings(tmp_path, environment=environment, secret_key=OWN, secret_key_previous="x"))


def test_no_previous_key_is_the_default(tmp_path: Path) -> None:
    assert previous_keys(settings(tmp_path, secret_key=OWN)) == ()
    assert previous_keys(settings(tmp_path, secret_key_previous=OWN)) == (OWN,)
