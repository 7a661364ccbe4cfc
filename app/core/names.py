"""What a name of a user or a room may be made of."""

import re
import unicodedata

from app.core.scripts import scripts_of
from app.core.text import FLAG_TAGS, FORBIDDEN_IN_NAMES, JOINERS, shows_something

PUNCTUATION = "._-+@ "
"""What a username may contain besides letters and digits, between two of them."""
ZERO_WIDTH_JOINER = "\u200d"
SHOWN_AS = "\ufe0e\ufe0f"
"""Variation selectors: a symbol is shown as text, or as an emoji."""
VIRAMA = 9
"""The combining class of the sign that joins two consonants in the scripts of India; a joiner after it chooses how."""
JOINING = frozenset({"Arab", "Mong", "Nkoo", "Phag", "Rohg", "Syrc"})
"""Scripts whose letters are joined, and may be kept apart or joined by a character in between (RFC 5892, A.1)."""


def name_key(name: str) -> str:
    """The form under which a name is found: in any case, and in any width."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def has_stray_punctuation(username: str) -> bool:
    """Whether punctuation is anywhere but between two letters or digits."""
    words = re.split(f"[{re.escape(PUNCTUATION)}]", username)
    return not all(word[:1].isalnum() for word in words)


def has_hidden_characters(name: str) -> bool:
    """Whether a name contains characters that cannot be seen there, or that change the reading direction."""
    rest = FLAG_TAGS.sub("", name)
    return any(
        (char in JOINERS and not _joins(rest, place))
        or (char in SHOWN_AS and not _is_symbol(rest[place - 1 : place]))
        or (char not in JOINERS + SHOWN_AS and _is_hidden(char))
        for place, char in enumerate(rest)
    )


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in FORBIDDEN_IN_NAMES or not (char.isspace() or shows_something(char))


def _joins(name: str, place: int) -> bool:
    """Whether a joiner here changes how its neighbours are shown."""
    before, after = name[place - 1 : place], name[place + 1 : place + 2]
    if not before or not after:
        return False
    if unicodedata.combining(before) == VIRAMA:
        return True
    if name[place] == ZERO_WIDTH_JOINER and _is_symbol(after):
        return _is_symbol(before) or before in SHOWN_AS
    return not scripts_of(before).isdisjoint(JOINING) and not scripts_of(after).isdisjoint(JOINING)


def _is_symbol(char: str) -> bool:
    """Whether it is, or may be shown as, an emoji: digits are with a keycap."""
    return char != "" and (unicodedata.category(char)[0] in "SP" or char.isdigit())
