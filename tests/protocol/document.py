"""docs/protocol.md, as far as it can be read by a program: its tables and its story."""

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
    """A line of the story. `who` is a user, or the server."""

    who: str
    does: str
    what: str


@cache
def tables(first_head: str) -> Table:
    """The rows of all tables whose first column has this head."""
    found: Table = []
    for block in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        head, _, *rows = [
            [cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()
        ]
        if head[0] == first_head:
            found += rows
    assert found, f"the document has no table with a column {first_head!r}"
    return found


def names_in(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


@cache
def story() -> list[Step]:
    """What happens in the examples, in the order of the document."""
    blocks = re.findall(r"^```\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    lines = re.sub(r"\n\s+", "", "".join(blocks)).splitlines()
    steps = [STEP.fullmatch(line) for line in lines]
    assert all(steps), f"not a step: {lines[steps.index(None)]}"
    return [Step(step["who"], step["does"], step["what"]) for step in steps if step]
