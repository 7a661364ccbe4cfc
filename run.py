"""Start the server: `python run.py`. Settings come from the environment and `.env`; see `.env.example`.

`python run.py --help` shows the other commands: backup, restore, epoch, doctor, users.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from fastapi import FastAPI

    from app.core.config import Settings

PROJECT = Path(__file__).parent
CALLED_FROM = PROJECT
with contextlib.suppress(OSError):  # the folder may have been deleted
    CALLED_FROM = Path.cwd()
os.chdir(PROJECT)  # `./chat.db` and `.env` belong to the project, wherever it is started


INTERRUPTED = 130
"""128 + SIGINT, as a shell has it."""


def main(arguments: Sequence[str] = ()) -> int:
    """Run a command of the operator; without one, serve. Returns the exit status."""
    import app  # exits if this Python is too old

    assert app.MIN_PYTHON
    try:
        os.umask(0o077)  # what this program creates is for its own user
        if not arguments or list(arguments) == ["serve"]:
            return serve()  # without the imports of the other commands
        from app.operator import cli
    except ModuleNotFoundError as error:
        return missing(error)
    return cli.run(arguments, CALLED_FROM, serve)


def serve(*, init: bool = False) -> int:
    """Serve until told to stop; `init` allows a new database in production. Returns the exit status."""
    try:
        from app.core.serving.reported_start import STATUS, say
    except ModuleNotFoundError as error:
        return missing(error)
    try:
        settings, application, listener = prepare(init=init)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is said in one sentence
        say(error)
        return STATUS
    return run(settings, application, listener)


def prepare(*, init: bool) -> tuple[Settings, FastAPI, socket.socket]:
    """Everything that can be checked before the server runs. Raises whatever keeps it from starting."""
    from app.core import misspelt
    from app.core.config import ENV_FILE, get_settings
    from app.core.database import file_lock
    from app.core.serving.server import listen
    from app.core.startup import cannot_listen, check_database
    from app.main import create_app

    settings = get_settings()
    application = create_app(settings)
    misspelt.warn(ENV_FILE, os.environ)
    try:
        listener = listen(settings)
    except OSError as error:
        raise cannot_listen(settings, error) from None
    try:
        with file_lock.shared(settings.database_file):
            check_database(settings.url, may_create=init or not settings.in_production)
    except BaseException:
        listener.close()
        raise
    return settings, application, listener


def run(settings: Settings, application: FastAPI, listener: socket.socket) -> int:
    """Serve on the socket. Returns the exit status."""
    from app.core.logs import log
    from app.core.serving.reported_start import STATUS, ReportedStart
    from app.core.serving.server import server

    async def before_stop() -> None:
        await application.state.runtime.stop()

    def after_stop() -> None:
        if application.state.runtime.database.is_closed:
            return
        # A thread hangs, in a disk for example. Python would wait for it for ever.
        log.error(
            "database.not_closed", advice="a thread does not end; what it was doing is not acknowledged"
        )
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)

    def after_start() -> None:
        print(greeting(settings, listener.getsockname()[1]), flush=True)

    reported = ReportedStart(lambda: application)
    serving = server(
        reported, settings, lambda: application.state.runtime.admission, after_start, before_stop, after_stop
    )
    try:
        with listener:
            serving.run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn raises it again once it has stopped
        return 0
    except SystemExit:  # the application could not start, and has said why
        return STATUS
    return 0


def missing(error: ModuleNotFoundError) -> int:
    """Say how to install a package. Returns the exit status."""
    print(f"{error.name} is not installed. Run:  pip install -r requirements.txt", file=sys.stderr)
    return 1


def greeting(settings: Settings, port: int) -> str:
    """The addresses to open, printed after the start."""
    shown = {"0.0.0.0": "localhost", "::": "localhost"}  # noqa: S104 - a browser cannot open these
    host = shown.get(settings.host, settings.host)
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    address += settings.root_path
    samples = "   user1 / password123" if settings.with_samples else ""
    lines = [
        f"Chat backend on {address}",
        *([f"  try it     {address}/test{samples}"] if settings.open_pages == "all" else []),
        *([f"  the API    {address}/docs"] if settings.open_pages != "none" else []),
        f"  database   {settings.url.render_as_string(hide_password=True)}",
        "  Ctrl+C stops the server; nothing is lost.",
    ]
    return "\n".join(lines)


def command() -> int:
    """The command line. Returns the exit status; Ctrl+C leaves no traceback, however early or late it comes."""
    try:
        status = main(sys.argv[1:])
    except KeyboardInterrupt:
        status = INTERRUPTED
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python waits for its threads, a moment
    return status


if __name__ == "__main__":
    sys.exit(command())
