"""Start the server: `python run.py`. Settings come from the environment and `.env`; see `.env.example`.

`python run.py --help` shows the other commands: backup, restore, epoch, doctor, users.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.config import Settings

PROJECT = Path(__file__).parent
CALLED_FROM = PROJECT
with contextlib.suppress(OSError):  # the folder may have been deleted
    CALLED_FROM = Path.cwd()
os.chdir(PROJECT)  # `./chat.db` and `.env` belong to the project, wherever it is started


def main(arguments: Sequence[str] = ()) -> int:
    """Run a command of the operator; without one, serve. Returns the exit status."""
    if not arguments or list(arguments) == ["serve"]:
        return serve()  # without the imports of the other commands
    try:
        from app.operator import cli
    except ModuleNotFoundError as error:
        return missing(error)
    return cli.run(arguments, CALLED_FROM, serve)


def serve(*, init: bool = False) -> int:
    """Serve until told to stop; `init` allows a new database in production. Returns the exit status."""
    try:
        from pydantic import ValidationError

        from app.core.config import ConfigurationError, get_settings
        from app.core.database import file_lock
        from app.core.logs import log
        from app.core.serving.server import listen, server
        from app.core.startup import cannot_listen, check_database, misspelt
        from app.main import create_app
    except ModuleNotFoundError as error:
        return missing(error)
    try:
        settings = get_settings()
        app = create_app(settings)
        for name, meant in misspelt(Path(".env")):
            log.warning("setting.unknown", name=name, file=".env", advice=f"did you mean {meant}?")
        try:
            listener = listen(settings)
        except OSError as error:
            raise cannot_listen(settings, error) from None
        with file_lock.shared(settings.database_file):
            check_database(settings.url, may_create=init or not settings.in_production)
    except ValidationError as error:
        for wrong in error.errors():
            name = "_".join(str(part) for part in wrong["loc"]).upper() or "settings"
            print(f"Cannot start: {name}: {wrong['msg']}", file=sys.stderr)
        return 2
    except (ConfigurationError, OSError) as error:
        print(f"Cannot start: {error}", file=sys.stderr)
        return 2

    async def before_stop() -> None:
        await app.state.runtime.stop()

    def after_stop() -> None:
        if app.state.runtime.database.is_closed:
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

    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again once it has stopped
        server(app, settings, lambda: app.state.runtime.admission, after_start, before_stop, after_stop).run(
            sockets=[listener]
        )
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
