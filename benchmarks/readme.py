"""Writes the figures between the markers of README.md, so that they cannot differ.

python -m benchmarks.readme                    write them from benchmarks/results/latest.json
python -m benchmarks.readme --check            fail if the README has other figures
python -m benchmarks.readme --print FILE.json  print all figures of a file
"""

import argparse
import sys
from pathlib import Path

from benchmarks import results, table
from benchmarks.peers import ROOT

README = ROOT / "README.md"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
PLOT = "![All workloads, all servers](benchmarks/results/latest.svg)"


class NoMarkers(Exception):
    """README.md lacks the markers for the figures."""


def block(measured: results.Results) -> str:
    """The text between the markers, and the markers."""
    parts = (table.summary(measured), table.apart(measured), table.footing(measured), PLOT)
    return "\n\n".join((BEGIN, *filter(None, parts), END))


def with_figures(text: str, measured: results.Results) -> str:
    """Return `text` with the figures between its markers. Raises NoMarkers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise NoMarkers(f"README.md needs {BEGIN} and {END}")
    return before + block(measured) + after


def agrees(text: str, measured: results.Results) -> bool:
    return text == with_figures(text, measured)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=results.LATEST)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--print", action="store_true")
    given = parser.parse_args()
    measured = results.load(given.file)
    if given.print:
        print(f"\n{table.full(measured)}\n\n{table.footing(measured)}")
        return 0
    text = README.read_text(encoding="utf-8")
    if given.check:
        if not agrees(text, measured):
            print("README.md and the figures disagree; run: python -m benchmarks.readme", file=sys.stderr)
            return 1
        return 0
    README.write_text(with_figures(text, measured), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
