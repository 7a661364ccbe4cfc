"""Documents stay short enough to be read."""

from pathlib import Path

import pytest

from tests.docs.documents import DOCS, name_of
from tests.support.server import ROOT


def lines(document: Path) -> int:
    return len(document.read_text().splitlines())


def test_the_readme_has_fewer_than_150_lines() -> None:
    assert lines(ROOT / "README.md") < 150


@pytest.mark.parametrize("decision", sorted((DOCS / "decisions").glob("*.md")), ids=name_of)
def test_a_decision_fits_on_a_page(decision: Path) -> None:
    """Tables of measurements and long attempts go to `docs/decisions/notes`."""
    assert lines(decision) <= 60
