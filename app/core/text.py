"""Text that users type: what can be stored, one normal form, and whether there is anything to see in it."""

import re
import unicodedata

FORBIDDEN_IN_NAMES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories: control, format (including all bidirectional marks), surrogate, private use, separators."""

JOINERS = "\u200c\u200d"
"""Two format characters that Persian and emoji need."""

FLAG_TAGS = re.compile(
    "(?<=\U0001f3f4)(?:[\U000e0061-\U000e007a]{2}|[\U000e0030-\U000e0039]{3})"
    "[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,4}\U000e007f"
)
"""The tags that turn a black flag into Scotland's: `gbsct`, a CLDR subdivision, in tag characters with a terminator
(Unicode Technical Standard 51, annex C.1). No other tag sequence has a meaning, so tags elsewhere only hide text."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether every database accepts the text: PostgreSQL refuses NUL, and UTF-8 has no lone surrogates."""
    return "\0" not in text and not _SURROGATE.search(text)


def normalize(text: str) -> str:
    """Convert to NFC (Unicode Annex 15), so that equal text is equal bytes."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


MAX_MARKS = 30
"""Combining marks in a row that are accepted (Unicode Annex 15, Stream-Safe Text Format). No language needs as many,
and normalizing sorts them in a time that grows with the square of their number."""


def has_too_many_marks(text: str) -> bool:
    """Whether there are more than MAX_MARKS combining marks in a row."""
    step = MAX_MARKS + 1  # a run that is too long covers one of these places, wherever it begins
    return len(text) > MAX_MARKS and any(
        _is_mark(text[place]) and _marks_around(text, place) > MAX_MARKS
        for place in range(MAX_MARKS, len(text), step)
    )


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M"


def _marks_around(text: str, place: int) -> int:
    """The length of the run of marks at this place, as far as it matters."""
    first = last = place
    while first > 0 and place - first < MAX_MARKS and _is_mark(text[first - 1]):
        first -= 1
    while last + 1 < len(text) and last - first < MAX_MARKS and _is_mark(text[last + 1]):
        last += 1
    return last - first + 1


IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point (Unicode 15): invisible, so names with and without these characters look the same."""


_FILLERS = "\u115f\u1160\u3164\uffa0"
"""The letters among the ignorable characters: Hangul without a sound."""
_SEEN = re.compile(
    rf"[^{IGNORABLE.pattern[1:-1]}\s\0-\x1f\x7f-\x9f\u2800\ufff9-\ufffc"
    "\U00013430-\U0001343f\U00016fe4\U0001d159]"
)


def shows_something(text: str) -> bool:
    """Whether there is anything to see: not only spaces, controls, ignorable characters, or symbols that are blank
    (U+2800, a Braille cell without dots; U+FFFC, a place for an object; U+1D159, a note without a head)."""
    first = text[:1]
    return (first.isalnum() and first not in _FILLERS) or _SEEN.search(text) is not None
