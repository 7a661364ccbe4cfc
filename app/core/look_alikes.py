"""Which names can be mistaken for each other (Unicode Technical Standard 39, section 4)."""

import re
import unicodedata
from functools import cache
from pathlib import Path

from app.core.text import IGNORABLE
from app.core.unicode_tables import rows

TABLE = Path(__file__).with_name("look_alikes.txt")
"""Written by `tools/look_alikes.py`: the version of Unicode, and what looks like each prototype."""

_DOTTED = re.compile("(?<=[ij])\u0307")
"""A dot above a letter that has one: it cannot be seen."""


def skeleton(name: str) -> str:
    """The form that two names share if they look alike: `rn` and `m`, Latin `a` and its Cyrillic twin."""
    return unicodedata.normalize("NFD", _mapped(unicodedata.normalize("NFKC", name)))


def look_alike_keys(name: str) -> frozenset[str]:
    """Two names can be mistaken for each other if they share a key.

    Which letters look alike depends on their case (`I` and `l`, but not `i` and `l`), and a name is found in any case.
    So there is a key for the name as it is shown, and one for the name in lower case. A single key would have to make
    `i` and `l` one letter, and `ian` and `lan` one name.
    """
    return frozenset(_folded(form) for form in (name, name.casefold()))


def _folded(name: str) -> str:
    """The skeleton without regard to case: folding gives `m` from `M`, which looks like `rn`."""
    return skeleton(skeleton(name).casefold()).strip()


def _mapped(name: str) -> str:
    visible = IGNORABLE.sub("", unicodedata.normalize("NFD", name))
    return _DOTTED.sub("", visible.translate(_prototypes()))


@cache
def _prototypes() -> dict[int, str]:
    return {
        code: "".join(chr(int(one, 16)) for one in prototype.split())
        for prototype, codes in rows(TABLE)
        for code in codes
    }
