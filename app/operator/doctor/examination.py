"""Runs every check and prints what it found."""

from collections.abc import Callable

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from app.core.config import ConfigurationError, Settings, get_settings
from app.core.startup import reasons
from app.operator.doctor import installation
from app.operator.doctor.database import database
from app.operator.doctor.findings import Findings, Level, harm

CHECKS: tuple[Callable[[Settings], Findings], ...] = (
    installation.names,
    installation.key,
    installation.file_modes,
    installation.disk,
    database,
    installation.origins,
    installation.proxy,
    installation.descriptors,
)
STYLES = {Level.FINE: "green", Level.NOTE: "yellow", Level.HARM: "bold red"}


def examine(console: Console, *, as_production: bool = False) -> int:
    """Print the findings. Returns the exit status: 1 if any of them harms."""
    harmful = 0
    for finding in findings(as_production=as_production):
        harmful += finding.level is Level.HARM
        line = Text(f"{finding.level}  {finding.subject:<12}", STYLES[finding.level])
        console.print(line.append(f" {finding.text}", "default"))
    console.print("Nothing harms this installation." if not harmful else f"{harmful} to mend.")
    return 1 if harmful else 0


def findings(*, as_production: bool = False) -> Findings:
    try:
        settings = get_settings()
    except (ValidationError, ConfigurationError) as error:
        yield from (harm("settings", reason) for reason in reasons(error))
        return
    if as_production:
        settings = settings.model_copy(update={"environment": "production"})
    for check in CHECKS:
        try:
            yield from check(settings)
        except Exception as error:  # noqa: BLE001 - one check that fails must not hide the others
            yield harm(check.__name__, f"cannot be checked: {error!r}")
