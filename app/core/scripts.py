"""Which scripts a text is written in, and whether they belong together (Unicode Technical Standard 39, section 5)."""

import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from app.core.unicode_tables import rows

TABLE = Path(__file__).with_name("scripts.txt")
"""Written by `tools/look_alikes.py`: the version of Unicode, and for each set of scripts the characters they share."""

LATIN = "Latn"
WRITING_SYSTEMS = {
    "Hani": ("Hanb", "Jpan", "Kore"),
    "Hira": ("Jpan",),
    "Kana": ("Jpan",),
    "Hang": ("Kore",),
    "Bopo": ("Hanb",),
}
"""Scripts that are written together, by the name of the whole (table 1a of the standard)."""
MIXED_WITH_LATIN = frozenset({"Hanb", "Jpan", "Kore"})

MAX_MARKS = 4
"""Marks above and below one letter (section 5.4)."""


def scripts_of(char: str) -> frozenset[str]:
    """The scripts that use the character; none for what all of them use."""
    return _table().get(ord(char), frozenset())


def mixes_scripts(text: str) -> bool:
    """Whether the text is not *Highly Restrictive*: of one script, or Latin with Chinese, Japanese or Korean."""
    found = {systems for char in text if (systems := _systems(char))}
    if not found or frozenset.intersection(*found):
        return False
    others = [systems for systems in found if LATIN not in systems]
    return not frozenset.intersection(MIXED_WITH_LATIN, *others)


def has_stray_marks(text: str) -> bool:
    """Whether a mark is on a letter whose script does not use it, is repeated, or is one of too many."""
    return any(
        len(marks) > MAX_MARKS
        or any(not base or not scripts_of(base) & scripts_of(mark) for mark in marks)
        or any(one == other for one, other in pairwise(marks))
        for base, marks in _marked(text)
    )


def _marked(text: str) -> Iterator[tuple[str, str]]:
    """Each character with the marks above, below or around it. Marks with a width of their own count as letters."""
    base = marks = ""
    for char in text:
        if unicodedata.category(char) in {"Mn", "Me"}:
            marks += char
        else:
            if marks:
                yield base, marks
            base, marks = char, ""
    if marks:
        yield base, marks


def _systems(char: str) -> frozenset[str]:
    found = scripts_of(char)
    return found.union(*(WRITING_SYSTEMS.get(script, ()) for script in found))


@cache
def _table() -> dict[int, frozenset[str]]:
    return {code: names for key, codes in rows(TABLE) for names in [frozenset(key.split())] for code in codes}
