"""The documents about security name tests that exist, and claim nothing without one."""

import re
from pathlib import Path

import pytest

from tests.docs.documents import DOCS, name_of
from tests.support.server import ROOT

DOCUMENTS = [DOCS / "threat-model.md", DOCS / "security.md"]
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
ROW = re.compile(r"^\| (?!line |---)(.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
WITHOUT_TEST = {"6.4.2", "12.3.1, 12.3.2", "13.1.1, 13.2.4", "13.2.3", "15.1.1, 15.2.1"}
"""There is nothing to run: something does not exist, or a document is what is asked for."""


def exists(file: str, test: str) -> bool:
    path = ROOT / file
    return path.exists() and (not test or f"def {test}(" in path.read_text())


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_test_that_is_named_exists(document: Path) -> None:
    named = TEST.findall(document.read_text())
    assert len(named) > 15
    assert [one for one in named if not exists(*one)] == []


def test_every_promise_names_its_test() -> None:
    promises = (DOCS / "threat-model.md").read_text().partition("## Promises")[2].partition("\n## ")[0]
    rows = promises.splitlines()[4:]
    assert len([row for row in rows if row]) > 15
    assert [row for row in rows if row and not TEST.search(row)] == []


def test_every_line_of_the_standard_has_a_state_and_a_proof_or_a_reason() -> None:
    rows = ROW.findall((DOCS / "security.md").read_text())
    assert len(rows) > 60
    for line, _, state, proof in rows:
        assert re.fullmatch(r"\d+\.\d+\.\d+(?:(?:, | to )\d+\.\d+\.\d+)*", line), line
        assert state in {"yes", "partly", "no"}, line
        assert state == "no" or TEST.search(proof) or line in WITHOUT_TEST, line


def test_no_line_is_answered_twice() -> None:
    lines = [line for row in ROW.findall((DOCS / "security.md").read_text()) for line in row[0].split(", ")]
    assert len(set(lines)) == len(lines)
