"""The key that signs tokens: configured, or generated once and stored beside the database."""

import os
import secrets
from pathlib import Path

from app.core.config import ConfigurationError, Settings

MIN_KEY_BYTES = 32
"""RFC 7518 section 3.2: an HS256 key must be at least as long as the hash."""

WELL_KNOWN = frozenset(
    {
        "your-secret-key-change-this-in-production",
        "your-secret-key-here-change-in-production",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    }
)
"""Keys from public documents: the README's own `.env` and FastAPI's tutorial."""


def signing_key(settings: Settings) -> str:
    """The key for this installation.

    Raises ConfigurationError for a key that is too short and, in production, for one that is missing or well known.
    """
    key = settings.secret_key
    if key is not None and len(key.encode()) < MIN_KEY_BYTES:
        raise ConfigurationError(
            f"SECRET_KEY is shorter than {MIN_KEY_BYTES} bytes; make one with: "
            'python -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    if settings.in_production and not is_own(key):
        raise ConfigurationError(
            "ENVIRONMENT=production needs a SECRET_KEY of your own; make one with: "
            'python -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    return key or _stored_key(key_file(settings))


def is_own(key: str | None) -> bool:
    """Whether the key was chosen for this installation: set, not well known, and not a repetition."""
    return key is not None and key not in WELL_KNOWN and len(set(key)) >= 8


def key_file(settings: Settings) -> Path:
    """The path of the key file: beside a SQLite file, else in the working directory."""
    database = settings.url.database
    if settings.url.get_backend_name() == "sqlite" and database and database != ":memory:":
        return Path(database).with_suffix(".secret")
    return Path("chat.secret")


def _stored_key(path: Path) -> str:
    """Read the key file; the first use creates it with mode 0600. Processes that start together get the same key."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # unlike a rename, fails if another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
