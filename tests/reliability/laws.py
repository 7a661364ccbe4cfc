"""What a law yields when it is broken."""

from typing import NamedTuple


class Violation(NamedTuple):
    law: str
    text: str
