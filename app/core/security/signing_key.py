"""The key that signs tokens: configured, in a file, or generated once and stored beside the database.

The checks belong to the key, wherever it comes from.
"""

import os
import secrets
import stat
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from app.core.config import ConfigurationError, Settings
from app.core.files import PRIVATE

MIN_KEY_BYTES = 32
"""RFC 7518 section 3.2: an HS256 key must be at least as long as the hash."""
MAX_KEY_BYTES = 4096
MAKE_ONE = 'make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'

WELL_KNOWN = frozenset(
    {
        "your-secret-key-change-this-in-production",
        "your-secret-key-here-change-in-production",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    }
)
"""Keys from public documents: the README's own `.env` and FastAPI's tutorial."""


class Key(NamedTuple):
    text: str
    source: str
    """The name of a setting, or the path of a file."""


def signing_key(settings: Settings) -> str:
    """The key for this installation.

    Raises ConfigurationError for a key that is too short, in a file that others can read or change and, in production,
    for one that is missing or well known.
    """
    previous_keys(settings)
    key = configured_key(settings)
    if key is not None:
        return _checked(key, settings).text
    if settings.in_production:
        raise ConfigurationError(f"ENVIRONMENT=production needs a SECRET_KEY of your own; {MAKE_ONE}")
    stored = _stored_key(key_file(settings))
    if len(stored.text.encode()) < MIN_KEY_BYTES:
        raise ConfigurationError(
            f"the generated key in {stored.source} is too short; delete it, and all logins end"
        )
    return stored.text


def previous_keys(settings: Settings) -> tuple[str, ...]:
    """Keys whose tokens are accepted until they expire; nothing is signed with them. Raises ConfigurationError."""
    if settings.secret_key_previous is None:
        return ()
    return (_checked(Key(settings.secret_key_previous, "SECRET_KEY_PREVIOUS"), settings).text,)


def configured_key(settings: Settings) -> Key | None:
    """The key that the settings name. Raises ConfigurationError."""
    file = settings.secret_key_file
    if settings.secret_key is not None:
        if file is not None:
            raise ConfigurationError("SECRET_KEY and SECRET_KEY_FILE are both set; keep one of them")
        return Key(settings.secret_key, "SECRET_KEY")
    return None if file is None else _read(file)


def is_own(key: str | None) -> bool:
    """Whether the key was chosen for this installation: set, not well known, and not a repetition."""
    return key is not None and key not in WELL_KNOWN and len(set(key)) >= 8


def key_file(settings: Settings) -> Path:
    """The path of the generated key: beside a SQLite file, else in the working directory."""
    database = settings.url.database
    if settings.url.get_backend_name() == "sqlite" and database and database != ":memory:":
        return Path(database).with_suffix(".secret")
    return Path("chat.secret")


def _checked(key: Key, settings: Settings) -> Key:
    """Raises ConfigurationError, which never contains the key."""
    if len(key.text.encode()) < MIN_KEY_BYTES:
        raise ConfigurationError(f"{key.source} is shorter than {MIN_KEY_BYTES} bytes; {MAKE_ONE}")
    if settings.in_production and not is_own(key.text):
        raise ConfigurationError(
            f"ENVIRONMENT=production needs a SECRET_KEY of your own, and {key.source} is not; {MAKE_ONE}"
        )
    return key


def _read(path: Path) -> Key:
    """The key in a file. Raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(MAX_KEY_BYTES + 1).decode().strip()
    except OSError as error:
        raise ConfigurationError(f"the key file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"the key file {path} is not text; {MAKE_ONE}") from None
    if len(text.encode()) > MAX_KEY_BYTES:
        raise ConfigurationError(
            f"the key file {path} is longer than {MAX_KEY_BYTES} bytes; is it the right file?"
        )
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and _can_be_private(path):
        raise ConfigurationError(
            f"other users of this machine can open the key file {path}; run:  chmod 600 {path}"
        )
    return Key(text, str(path))


def _can_be_private(path: Path) -> bool:
    """Whether the modes of files mean something here. They do not on Windows and its mounts, and containers find their
    secrets on a file system that is read-only, where they cannot be changed."""
    if sys.platform == "win32" or os.statvfs(path).f_flag & os.ST_RDONLY:
        return False
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent) as probe:  # made with mode 0600
            return stat.S_IMODE(os.fstat(probe.fileno()).st_mode) == PRIVATE
    except OSError:
        return True


def _stored_key(path: Path) -> Key:
    """Read the key file; the first use creates it with mode 0600. Processes that start together get the same key."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # unlike a rename, fails if another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return _read(path)
