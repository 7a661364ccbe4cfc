"""A `.env` is read as it was meant, or refused with the reason."""

from pathlib import Path

import pytest

from app.core.config import ConfigurationError, Settings, get_settings
from app.core.env_file import complaint

pytestmark = pytest.mark.usefixtures("nothing_set")
KNOWN = Settings.model_fields


@pytest.mark.parametrize(
    "content, sentence",
    [
        ("PORT=1".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        ("PORT=1".encode("utf-16-be"), "contains NUL characters; save it as UTF-8"),
        (b"PORT=1\nHOST=\xe9\n", "is not UTF-8; save it as UTF-8"),
        (b"PORT=1\n=2\n", "line 2 is not a setting; write NAME=value"),
        (b"PORT=1\n\nSECRET_KEY='half\n", "line 3 is not a setting; write NAME=value"),
        (b"# PORT\nPORT\n", "line 2 is not a setting; write NAME=value"),
        (b"PORT 9000\n", "line 1 is not a setting; write NAME=value"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content)
    said = complaint(file, KNOWN)
    assert said is not None
    assert said.startswith(f"{file}")
    assert said.endswith(sentence)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    """Docker creates one where it is to mount a file that is missing."""
    (tmp_path / ".env").mkdir()
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError, match="is a folder"):
        get_settings()


def test_a_mark_before_the_first_name_is_not_part_of_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfPORT=1234\r\nHOST=::1\r\n")
    assert complaint(tmp_path / ".env", KNOWN) is None
    assert (Settings().port, Settings().host) == (1234, "::1")


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "export PORT=1\nOTHER\nLONG='a\nb'\n", 'HOST="::1" # x\n']
)
def test_what_other_programs_write_is_accepted(tmp_path: Path, content: str) -> None:
    (tmp_path / ".env").write_text(content)
    assert complaint(tmp_path / ".env", KNOWN) is None


def test_no_file_is_fine(tmp_path: Path) -> None:
    assert complaint(tmp_path / ".env", KNOWN) is None
