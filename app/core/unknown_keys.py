"""Names that a request may not have: refused together with the known name that was probably meant."""

import difflib
from collections.abc import Collection, Iterable

MAX_SHOWN = 32
"""Characters of an unknown name that are repeated, of which a client may send any number."""
SIMILAR = 0.7
"""How alike two names are that may be meant for each other, from 0 to 1; `difflib` finds `content` for `contents`."""


def first_unknown(names: Iterable[str], known: Collection[str]) -> str | None:
    return next((name for name in names if name not in known), None)


def no_such(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence without its full stop: there is no such thing, but there is one with a similar name."""
    meant = _nearest(name, known)
    return f"There is no such {what}" + (f"; the nearest is {meant}" if meant else "")


def shown(name: str) -> str:
    """The name as it is repeated: printable and short."""
    cut = name if len(name) <= MAX_SHOWN else name[:MAX_SHOWN] + "…"
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)


def is_added_on_the_way(parameter: str) -> bool:
    """Whether browsers, proxies and links add this parameter to addresses: `_` keeps an answer out of caches, `utm_…`
    counts visits."""
    return parameter == "_" or parameter.startswith("utm_")


def _nearest(name: str, known: Iterable[str]) -> str | None:
    if len(name) > MAX_SHOWN:  # the time to compare grows with the square of it
        return None
    plain = {_plain(one): one for one in known}
    found = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=SIMILAR)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    """`clientId`, `client-id` and `client_id` are the same."""
    return name.lower().replace("_", "").replace("-", "")
