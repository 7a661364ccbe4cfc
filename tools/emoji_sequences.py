"""Write `app/core/emoji_sequences.txt`: `python -m tools.emoji_sequences VERSION emoji.json`.

`emoji.json` is in the Python package `emoji`, made from Unicode's emoji-test.txt: 2.16.0 has version 18.0.

A word of the file is one fully qualified sequence without skin tones, or stands for many: `1` takes each of the five
tones in turn, `2` each pair of them, and `3` each pair of different ones.
"""

import json
import re
import sys
import textwrap
from collections import defaultdict
from pathlib import Path

from app.core import emoji

FULLY_QUALIFIED = 2
TONE = re.compile(f"[{emoji.TONES}]")
WIDTH = 110


def packed(sequences: set[str]) -> list[str]:
    """The words that stand for exactly these sequences. Raises ValueError if none do."""
    families: defaultdict[str, set[str]] = defaultdict(set)
    for sequence in sequences:
        families[TONE.sub("#", sequence)].add(sequence)
    return [_word(shape, family) for shape, family in sorted(families.items())]


def _word(shape: str, family: set[str]) -> str:
    for slot in "1" if shape.count("#") == 1 else "23":
        word = shape.replace("#", slot)
        if set(emoji.unpacked(word)) == family:
            return word
    raise ValueError(f"{shape} takes other combinations of skin tones than are known: {sorted(family)}")


def main(version: str, source: str) -> None:
    known = json.loads(Path(source).read_text(encoding="utf-8"))
    sequences = {text for text, about in known.items() if about["status"] == FULLY_QUALIFIED}
    # An emoji may contain a digit (a keycap), so the words of those come first, behind a line of their own.
    keycaps = sorted(text for text in sequences if emoji.KEYCAP in text)
    words = " ".join(packed(sequences - {*keycaps}))
    lines = [version, " ".join(keycaps), *textwrap.wrap(words, WIDTH, break_long_words=False)]
    emoji.SEQUENCES.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
