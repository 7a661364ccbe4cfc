"""Reads the tables of characters that `tools/look_alikes.py` writes."""

from collections.abc import Iterator
from pathlib import Path


def rows(path: Path) -> Iterator[tuple[str, Iterator[int]]]:
    """The key of each line, and its code points."""
    _version, *lines = path.read_text(encoding="utf-8").splitlines()
    for line in lines:
        key, _, codes = line.partition(": ")
        yield key, _unpacked(codes)


def _unpacked(codes: str) -> Iterator[int]:
    for run in codes.split():
        first, _, last = run.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)
