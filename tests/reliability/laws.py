"""The violation of a law."""

from typing import NamedTuple


class Violation(NamedTuple):
    law: str
    text: str
