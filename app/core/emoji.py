"""Emoji: the sequences that Unicode recommends for interchange (RGI, Unicode Technical Standard 51), by version."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

SEQUENCES = Path(__file__).with_name("emoji_sequences.txt")
"""Written by `tools/emoji_sequences.py`: the version, the keycaps, and words as `unpacked` reads them."""
TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
"""The modifiers of Fitzpatrick's scale."""
KEYCAP = "\u20e3"
SHOWN_AS_EMOJI = "\ufe0f"
"""Variation selector 16. The fully qualified form of an emoji has all of those it needs; keyboards leave some out."""


def fully_qualified(text: str) -> str | None:
    """The one emoji that the text is, in its fully qualified form (❤ becomes ❤️); None if it is anything else."""
    return _by_bare_form().get(text.replace(SHOWN_AS_EMOJI, ""))


def unpacked(word: str) -> Iterator[str]:
    """The sequences that a word of the file stands for: `1` takes each skin tone, `2` and `3` take pairs of them."""
    if "1" in word:
        yield from (word.replace("1", tone) for tone in TONES)
    elif "2" in word or "3" in word:
        before, between, after = word.replace("3", "2").split("2")
        for first in TONES:
            yield from (
                before + first + between + second + after
                for second in TONES
                if first != second or "2" in word
            )
    else:
        yield word


@cache
def _by_bare_form() -> dict[str, str]:
    """Every fully qualified sequence by its form without variation selectors, in which no two are equal."""
    _version, keycaps, *lines = SEQUENCES.read_text(encoding="utf-8").splitlines()
    sequences = [*keycaps.split(), *(one for word in " ".join(lines).split() for one in unpacked(word))]
    return {sequence.replace(SHOWN_AS_EMOJI, ""): sequence for sequence in sequences}
