"""Which new passwords are accepted: not the most common ones, and none made of the name (ASVS 5.0, 6.2.4 and 6.2.11).

NIST SP 800-63B section 3.1.1.2 asks for the same, and for no rules about kinds of characters.
"""

import gzip
import re
from functools import lru_cache
from pathlib import Path

from app.core.errors import Unprocessable
from app.core.text import normalize

LIST = Path(__file__).with_name("common_passwords.txt.gz")
"""Made by `tools/common_passwords.py`, which names its origin."""
DOCUMENTED = frozenset({"password123", "admin123"})
"""Passwords of the README's examples, which work in development."""
SERVICE_NAMES = ("chatbackend", "chat backend", "chat")
MIN_LETTERS = 4
"""Letters that a password has to have besides the names in it."""


class CommonPassword(Unprocessable):
    """This password is one of the most common ones, which are tried first; choose another one."""


class PasswordFromName(Unprocessable):
    """This password is little more than the username or the name of the service; choose another one."""


class SamePassword(Unprocessable):
    """The new password is the old one."""


class PasswordPolicy:
    """Checks new passwords."""

    def __init__(self, *, accepts_documented: bool) -> None:
        self._accepted = DOCUMENTED if accepts_documented else frozenset()

    def check(self, password: str, username: str) -> None:
        """Raises CommonPassword and PasswordFromName."""
        if password in self._accepted:
            return
        folded = password.casefold()
        if folded in common_passwords():
            raise CommonPassword
        names = [name for name in (normalize(username).casefold(), *SERVICE_NAMES) if len(name) > 2]
        if any(name in folded for name in names) and _letters_besides(folded, names) < MIN_LETTERS:
            raise PasswordFromName


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """The 10,000 most common passwords of eight characters and more, in lower case. Takes 1 MB."""
    return frozenset(gzip.decompress(LIST.read_bytes()).decode().split("\n"))


def _letters_besides(password: str, names: list[str]) -> int:
    for name in sorted(names, key=len, reverse=True):
        password = password.replace(name, "")
    return len(re.sub(r"[\W\d_]", "", password))
