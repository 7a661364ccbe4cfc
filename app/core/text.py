"""Text that people type: one normal form, nothing invisible in names, and a key under which look-alikes meet."""

import re
import unicodedata
from functools import lru_cache

from confusable_homoglyphs import confusables

FORBIDDEN_IN_NAMES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories: control, format (all the bidirectional marks among them), surrogate, private, breaks."""

JOINERS = "\u200c\u200d"
"""Two format characters that Persian and emoji cannot be written without."""

FLAG_TAGS = re.compile(
    "(?<=\U0001f3f4)(?:[\U000e0061-\U000e007a]{2}|[\U000e0030-\U000e0039]{3})"
    "[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,4}\U000e007f"
)
"""What makes Scotland's flag of a black one: `gbsct`, a CLDR subdivision, in tag characters and with their end (Unicode
Technical Standard 51, annex C.1). No other tag sequence means anything, so tags elsewhere only hide something."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether every database takes it: PostgreSQL refuses NUL, and UTF-8 has no lone surrogates."""
    return "\0" not in text and not _SURROGATE.search(text)


def normalize(text: str) -> str:
    """NFC (Unicode Annex 15), so that the same text is the same bytes."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point (Unicode 15): drawn as nothing, so that two names with and without look the same."""


def has_hidden_characters(name: str) -> bool:
    """Whether a name holds what cannot be seen or turns the reading direction."""
    seen = FLAG_TAGS.sub("", name)
    return any(unicodedata.category(char) in FORBIDDEN_IN_NAMES and char not in JOINERS for char in seen)


def name_key(name: str) -> str:
    """The form in which two names count as the same: case, compatibility forms and foreign look-alikes folded.

    `Admin`, `ＡＤＭＩＮ` and `аdmin` (with a Cyrillic а) share a key; `alice` and `alicé` do not.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    if folded.isascii():
        return folded
    return "".join(_latin_twin(char) for char in folded).casefold()


@lru_cache(maxsize=4096)
def _latin_twin(char: str) -> str:
    """The ASCII character that this one can be mistaken for (Unicode Technical Standard 39), or itself."""
    if char.isascii():
        return char
    found = confusables.is_confusable(char, greedy=False, preferred_aliases=[])
    if not found:
        return char
    twins = [twin["c"] for twin in found[0]["homoglyphs"] if twin["c"].isascii()]
    return twins[0] if twins else char
