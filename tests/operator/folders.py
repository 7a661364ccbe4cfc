"""Folders with a database, its log and its backups, as files."""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from app.operator.sqlite_file import beside

SIDE = ("-wal", "-journal")


def place(folder: Path, files: dict[str, bytes]) -> None:
    """Make these the only files of the folder."""
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def contents(database: Path) -> list[str]:
    """The texts of all messages, read from a copy: reading changes the files of a database."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        for ending in ("", *SIDE):
            if beside(database, ending).exists():
                shutil.copy(beside(database, ending), beside(copy, ending))
        if not copy.exists():
            return ["no database"]
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return [text for (text,) in connection.execute("SELECT content FROM messages ORDER BY id")]


def kept(database: Path) -> list[Path]:
    """The databases that restores have moved away, oldest first, without what lies beside them."""
    found = database.parent.glob(f"{database.name}.before-restore-*")
    return sorted(path for path in found if not path.name.endswith(SIDE))
