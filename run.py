"""Start the server: `python run.py`. Settings come from the environment and `.env`; see `.env.example`."""

import os
import sys
from pathlib import Path

os.chdir(
    Path(__file__).parent
)  # so that `./chat.db` and `.env` are the project's, wherever this is called from


def main() -> int:
    """Serve until told to stop. Returns the exit status."""
    try:
        from pydantic import ValidationError

        from app.core.config import get_settings
        from app.core.secrets import ConfigurationError
        from app.core.server import listen, server
        from app.main import create_app
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed. Run:  pip install -r requirements.txt", file=sys.stderr)
        return 1
    try:
        settings = get_settings()
        app = create_app(settings)
        listener = listen(settings)
    except ValidationError as error:
        for wrong in error.errors():
            name = "_".join(str(part) for part in wrong["loc"]).upper() or "settings"
            print(f"Cannot start: {name}: {wrong['msg']}", file=sys.stderr)
        return 2
    except (ConfigurationError, OSError) as error:
        print(f"Cannot start: {error}", file=sys.stderr)
        return 2

    async def before_stop() -> None:
        await app.state.stop()

    server(app, settings, before_stop).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
