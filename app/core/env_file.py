"""Checks `.env` before it is read: pydantic-settings would skip what it cannot use without a word."""

import io
from collections.abc import Container
from pathlib import Path

from dotenv.parser import parse_stream

ENCODING = "utf-8-sig"
"""UTF-8 with or without the mark that editors on Windows put before it."""


def complaint(path: Path, known: Container[str]) -> str | None:
    """What keeps the file from being read, in one sentence. `known` are the names of settings, in lower case."""
    if path.is_dir():
        return f"{path} is a folder; delete it, or put the settings into a file of this name"
    if not path.is_file():  # missing, or a pipe that can be read only once
        return None
    try:
        text = path.read_bytes().decode(ENCODING)
    except UnicodeDecodeError as error:
        kind = "UTF-16" if error.object.startswith((b"\xff\xfe", b"\xfe\xff")) else "not UTF-8"
        return f"{path} is {kind}; save it as UTF-8"
    if "\0" in text:
        return f"{path} contains NUL characters; save it as UTF-8"
    return _wrong_line(path, text, known)


def _wrong_line(path: Path, text: str, known: Container[str]) -> str | None:
    for binding in parse_stream(io.StringIO(text)):
        has_no_value = binding.key is not None and binding.value is None and binding.key.lower() in known
        if binding.error or has_no_value:
            text = binding.original.string
            line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
            return f"{path}: line {line} is not a setting; write NAME=value"
    return None
