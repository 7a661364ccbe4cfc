"""The command line: `python run.py COMMAND`.

Exit status: 0 done, 1 `doctor` found what harms, 2 refused, with one sentence on standard error.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from app.core.config import ConfigurationError, get_settings
from app.core.database import UnitOfWork
from app.core.errors import AppError
from app.core.logs import configure_logging
from app.core.startup import reasons
from app.operator import accounts
from app.operator.backup import backup as back_up
from app.operator.backup import megabytes
from app.operator.doctor import examination
from app.operator.output import console, progress_bars
from app.operator.restore import restore as put_back
from app.operator.transaction import run_in_database
from app.services import epochs

REFUSED = 2

app = typer.Typer(
    help="A chat backend to host yourself. Without a command it serves.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(accounts.app, name="users")

File = Annotated[Path, typer.Argument(metavar="FILE", help="A path; a relative one begins where you are.")]


@dataclass(frozen=True, slots=True)
class Invocation:
    """How the program was called."""

    folder: Path
    """The working directory of the caller."""
    serve: Callable[..., int]


def run(arguments: Sequence[str], folder: Path, serve: Callable[..., int]) -> int:
    """Run one command. Returns the exit status."""
    try:
        configure_logging("warning", "auto")
        app(list(arguments), "python run.py", obj=Invocation(folder, serve))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else REFUSED
    except (ValidationError, DBAPIError, ConfigurationError, AppError, OSError) as error:
        for reason in reasons(error):
            print(f"Refused: {reason}", file=sys.stderr)
    return REFUSED


@app.command()
def serve(
    context: typer.Context,
    init: Annotated[
        bool, typer.Option("--init", help="Create a database that is missing, also in production.")
    ] = False,
) -> None:
    """Start the server; the same as no command."""
    raise typer.Exit(_invocation(context).serve(init=init))


@app.command()
def backup(
    context: typer.Context,
    file: File,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
) -> None:
    """Copy the SQLite database to FILE, also while the server runs."""
    target = _invocation(context).folder / file
    with progress_bars() as step:
        size = back_up(get_settings(), target, step, overwrite=force)
    console.print(f"Backed up to {target} ({megabytes(size)}).")


@app.command()
def restore(
    context: typer.Context,
    file: File,
    keep_logins: Annotated[
        bool, typer.Option("--keep-logins", help="Let the logins of the backup go on.")
    ] = False,
    discard_old: Annotated[
        bool, typer.Option("--discard-old", help="Do not keep the database that is replaced.")
    ] = False,
) -> None:
    """Put the backup FILE in the place of the SQLite database. Stop the server first."""
    source = _invocation(context).folder / file
    with progress_bars() as step:
        done = put_back(get_settings(), source, step, keep_logins=keep_logins, keep_old=not discard_old)
    console.print(f"Restored {source}. {done.ended_sessions} logins ended.")
    if done.kept:
        console.print(f"The old database is {done.kept}. Delete it when you no longer need it.")


@app.command()
def epoch(
    new: Annotated[bool, typer.Option("--new", help="Begin a new one; ends no login.")] = False,
) -> None:
    """Show the epoch, or begin a new one after a snapshot of the database was put back.

    Clients then load anew what they have of later messages. A restore begins an epoch by itself.
    """
    name = run_in_database(_new_epoch if new else epochs.name)
    console.print(f"{'A new epoch has begun' if new else 'The epoch is'}: {name}")


@app.command()
def doctor(
    production: Annotated[
        bool, typer.Option("--production", help="Judge as if ENVIRONMENT=production.")
    ] = False,
) -> None:
    """Look for what would stop or harm this installation."""
    raise typer.Exit(examination.examine(console, as_production=production))


def _new_epoch(db: UnitOfWork) -> str:
    """Void the last epoch: a server may have numbered changes under its name since."""
    return epochs.begin(db, after=epochs.name(db), voids=True)


def _invocation(context: typer.Context) -> Invocation:
    found: Invocation = context.obj
    return found
