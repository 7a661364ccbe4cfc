"""A real-time chat backend you own."""

import sys

__version__ = "0.1.0"

MIN_PYTHON = (3, 11)

if sys.version_info[:2] < MIN_PYTHON:  # before the first import that an older one does not understand
    needed, found = (".".join(map(str, version[:2])) for version in (MIN_PYTHON, sys.version_info))
    print(f"Cannot start: Python {needed} or newer is needed, this is {found}", file=sys.stderr)  # noqa: T201
    sys.exit(2)
