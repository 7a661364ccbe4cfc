"""Names that resemble a setting: a misspelt one would do nothing, without a word."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic_settings import DotEnvSettingsSource

from app.core.config import Settings
from app.core.env_file import ENCODING
from app.core.logs import log

_CLOSE_IN_FILE = 0.8
_CLOSE_IN_ENVIRONMENT = 0.88
"""The environment is full of names of other programs: HOSTNAME, SECRET_KEY_BASE. One or two letters may differ."""
_MIN_LENGTH = 6
"""Shorter names in the environment, such as HOSTS and PORTS, resemble by chance."""


class Misspelt(NamedTuple):
    name: str
    meant: str
    place: str
    """The file, or "environment"."""


def misspelt(env_file: Path, environment: Mapping[str, str]) -> Iterator[Misspelt]:
    """Unknown names, each with the setting that it resembles. Other names may belong to other programs: so may one in
    the environment, if the setting that it resembles is given too."""
    known = list(Settings.model_fields)
    in_file = DotEnvSettingsSource(Settings, env_file=env_file, env_file_encoding=ENCODING).env_vars
    for name in in_file:
        for meant in _resembled(name, known, _CLOSE_IN_FILE):
            yield Misspelt(name.upper(), meant.upper(), str(env_file))
    names = {name.lower(): name for name in environment}
    given = in_file.keys() | names.keys()
    for lower, name in names.items():
        if len(name) >= _MIN_LENGTH:
            for meant in _resembled(lower, known, _CLOSE_IN_ENVIRONMENT):
                if meant not in given:
                    yield Misspelt(name, meant.upper(), "environment")


def warn(env_file: Path, environment: Mapping[str, str]) -> None:
    """Log every misspelt setting."""
    for found in misspelt(env_file, environment):
        log.warning(
            "setting.unknown", name=found.name, place=found.place, advice=f"did you mean {found.meant}?"
        )


def _resembled(name: str, known: list[str], close: float) -> list[str]:
    return [] if name in known else difflib.get_close_matches(name, known, n=1, cutoff=close)
