"""Every relative link leads to a file, and its anchor to a heading in that file."""

from pathlib import Path

import pytest

from tests.docs.documents import DOCS, DOCUMENTS, anchors, broken_links, name_of
from tests.support.server import ROOT


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "benchmarks" / "README.md"], ids=name_of)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    assert list(broken_links(document)) == []


def test_every_note_is_linked_from_its_decision() -> None:
    """A note carries the number of its decision, and may be written down before it."""
    decisions = {file.name[:4]: file.read_text() for file in (DOCS / "decisions").glob("*.md")}
    notes = [note for note in (DOCS / "decisions" / "notes").glob("*.md") if note.name[:4] in decisions]
    assert [note.name for note in notes if f"(notes/{note.name}" not in decisions[note.name[:4]]] == []


def test_a_link_to_a_missing_file_or_heading_is_found(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(
        "# Here, and there\n[a](#here-and-there) [b](document.md) [c](https://example.com/#x)\n"
        "[d](missing.md) [e](#missing) [f](document.md#missing)\n```\n[g](code.md)\n```\n"
    )
    assert list(broken_links(document)) == ["missing.md", "#missing", "document.md#missing"]


def test_headings_with_the_same_text_have_anchors_of_their_own(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text("# `since` & more\n## Twice\n## Twice\n```\n# a comment\n```\n")
    assert anchors(document) == {"since--more", "twice", "twice-1"}
