"""Files that only this user may read, and that survive a crash."""

import contextlib
import os
from pathlib import Path

PRIVATE = 0o600


def create_private(path: Path) -> None:
    """Create an empty file with mode 0600, which belongs to the owner of its folder when root creates it.

    Raises FileExistsError.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
    give_to_owner_of(path.parent, path)


def give_to_owner_of(model: Path, path: Path) -> None:
    """As root, change the owner of `path` to that of `model`: a server that runs as another user must open it."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        found = model.stat()
        os.chown(path, found.st_uid, found.st_gid)


def sync(path: Path) -> None:
    """Write a file to the disk."""
    _sync(path, os.O_RDWR)


def sync_names(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system can: Windows opens no folders."""
    with contextlib.suppress(PermissionError):
        _sync(folder, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
