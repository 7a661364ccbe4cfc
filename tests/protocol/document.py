"""docs/protocol.md, parsed: its tables, and the story that its examples tell."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")

Table = list[list[str]]

STEP = re.compile(
    r"(?P<who>the server|\w+) (?P<does>→|←|connects to|leaves|gets|is closed with|goes away) ?(?P<what>.*)"
)


@dataclass(frozen=True)
class Step:
    """A line of the story. `who` is a user or the server."""

    who: str
    does: str
    what: str


@cache
def tables(first_heading: str) -> Table:
    """The rows of all tables whose first column has this heading."""
    found: Table = []
    for block in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        head, _, *rows = [
            [cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()
        ]
        if head[0] == first_heading:
            found += rows
    assert found, f"the document has no table with a column {first_heading!r}"
    return found


def names_in(cell: str) -> list[str]:
    """The names in backticks."""
    return re.findall(r"`([^`]+)`", cell)


@cache
def story() -> list[Step]:
    """The steps of all examples, in the order of the document."""
    blocks = re.findall(r"^```\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    lines = re.sub(r"\n\s+", "", "".join(blocks)).splitlines()
    steps = [STEP.fullmatch(line) for line in lines]
    assert all(steps), f"not a step: {lines[steps.index(None)]}"
    return [Step(step["who"], step["does"], step["what"]) for step in steps if step]
