"""`python run.py users`: the accounts, for the one who runs the server."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich import box
from rich.table import Table
from rich.text import Text

from app.core.config import ConfigurationError, get_settings
from app.core.database import UnitOfWork
from app.core.security.password_policy import PasswordPolicy
from app.core.security.passwords import Passwords
from app.models import User
from app.operator.output import console
from app.operator.transaction import run_in_database
from app.schemas.fields import NewPassword
from app.services import sessions, users

app = typer.Typer(help="Show and change accounts.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A username, in any case.")]


@app.command("list")
def show() -> None:
    """Show all accounts."""
    found, logins = run_in_database(_listing)
    table = Table("name", "since", "logins", "", box=box.SIMPLE_HEAD)
    for user in found:
        notes = [
            *(["administrator"] if user.is_administrator else []),
            *([] if user.is_active else ["deleted"]),
        ]
        since = datetime.fromtimestamp(user.created_at / 1000, UTC).date().isoformat()
        table.add_row(Text(user.username), since, str(logins.get(user.id, 0)), ", ".join(notes))
    console.print(table)


@app.command()
def promote(name: Name) -> None:
    """Make NAME an administrator."""
    console.print(Text(f"{run_in_database(_promote, name)} is an administrator."))


@app.command()
def password(
    name: Name,
    from_stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the password from standard input, one line.")
    ] = False,
) -> None:
    """Set a new password for NAME, and end all logins of that account."""
    run_in_database(users.named, name)
    entered = sys.stdin.readline().rstrip("\r\n") if from_stdin else _asked_twice()
    try:
        accepted = TypeAdapter(NewPassword).validate_python(entered)
    except ValidationError as error:
        raise ConfigurationError(f"this password is not accepted: {error.errors()[0]['msg']}") from None
    policy = PasswordPolicy(accepts_documented=not get_settings().in_production)
    policy.check(accepted, name)
    hashing = Passwords()
    count = run_in_database(_set_password, name, hashing.digest(accepted))
    hashing.close()
    console.print(Text(f"The password of {name} is changed. {count} logins ended."))


@app.command()
def close_sessions(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A username, in any case.")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Of all accounts.")] = False,
) -> None:
    """End all logins of NAME. A running server closes their sockets within seconds."""
    if (name is None) is not everyone:
        raise ConfigurationError("give one NAME, or --all")
    console.print(f"{run_in_database(_close_sessions, name)} logins ended.")


def _listing(db: UnitOfWork) -> tuple[list[User], dict[int, int]]:
    return list(users.listing(db)), sessions.count_open(db)


def _promote(db: UnitOfWork, name: str) -> str:
    user = users.named(db, name)
    users.promote(user)
    return user.username


def _set_password(db: UnitOfWork, name: str, password_hash: str) -> int:
    user = users.named(db, name)
    users.set_password(user, password_hash)
    return sessions.revoke_all(db, user.id)


def _close_sessions(db: UnitOfWork, name: str | None) -> int:
    return sessions.revoke_all(db, users.named(db, name).id if name is not None else None)


def _asked_twice() -> str:
    answer: str = typer.prompt("New password", hide_input=True, confirmation_prompt="The same again")
    return answer
