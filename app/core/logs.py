"""Logs: an event name and fields, through structlog; everything that others log goes the same way.

No secret gets through: the last step before the output blots out whatever looks like one, wherever it comes from
(uvicorn logs the query string of a socket, token and all).
"""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

log: structlog.stdlib.BoundLogger = structlog.get_logger("chat")

NAMES = "(?: token | access_token | refresh_token | password | new_password | current_password | secret_key )"
SECRETS = re.compile(
    rf"""(?ixs)
    ( [?&] {NAMES} = ) [^\s"'&\\]*                   # in an address, where a quote ends it
    | ( \b {NAMES} \b \\* ["']? \s* [=:] \s*          # what announces a secret
      | \b bearer \\* ["']? (?: \s+ | ,\s* | %20 ) )
      (?: ( \\* ["'] ) (?: (?!\3) (?: \\. | . ) )*   # the secret in quotes, themselves perhaps escaped,
        | [^\s"'&,;}}\])\\]+ )                       # or up to where such a thing ends
    | \b eyJ [\w-]+ \. [\w-]+ \. [\w-]*             # a JWT, wherever it stands
    """
)


def redact(text: str) -> str:
    """The text without passwords and tokens."""
    return SECRETS.sub(lambda found: "".join(filter(None, found.groups())) + "[redacted]", text)


def configure_logging(level: str, log_format: str) -> None:
    """Send everything to standard error: for people if it is a terminal (or `console`), else a JSON object a line."""
    for_people = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if for_people else "iso", utc=not for_people),
        _drop_color,
    ]
    render: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if for_people
        else structlog.processors.JSONRenderer()
    )
    before: list[Processor] = [] if for_people else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *before, render, _blot_out],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    for name in ("alembic", "sqlalchemy", "websockets", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _drop_color(_logger: Any, _method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)
    return event


def _blot_out(_logger: Any, _method: str, rendered: Any) -> Any:
    return redact(rendered) if isinstance(rendered, str) else rendered
