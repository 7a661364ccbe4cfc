"""Plain technical English: the subject of a sentence is a client, a connection, a caller or a thread."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, name_of
from tests.support.server import ROOT

PRONOUN = re.compile(r"\b(?:somebody|nobody|everybody|whoever|anybody)\b", re.IGNORECASE)
GUILLEMET = re.compile(
    "[\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}]"
)
VENDORED = ROOT / "app" / "static" / "docs"
SOURCES = {".py", ".js", ".html", ".css"}
AREAS = {name_of(document): [document] for document in [*DOCUMENTS, ROOT / ".env.example"]} | {
    "app": [
        file
        for file in sorted((ROOT / "app").rglob("*"))
        if file.suffix in SOURCES and not file.is_relative_to(VENDORED)
    ]
}


def found(pattern: re.Pattern[str], files: list[Path]) -> Iterator[str]:
    for file in files:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if pattern.search(line):
                yield f"{name_of(file)}:{number}: {line.strip()}"


@pytest.mark.parametrize("area", AREAS)
def test_no_sentence_is_about_an_unnamed_person(area: str) -> None:
    assert list(found(PRONOUN, AREAS[area])) == []


@pytest.mark.parametrize("area", AREAS)
def test_quotation_marks_are_english(area: str) -> None:
    assert list(found(GUILLEMET, AREAS[area])) == []


def test_pronouns_are_found_as_words_and_in_any_case() -> None:
    assert PRONOUN.search("Nobody waits.")
    assert not PRONOUN.search("self._nobody")
