"""Logs: an event name and fields, through structlog. Records of other libraries take the same path.

No secret gets through: the last step before the output redacts everything that looks like one, whatever its source
(uvicorn logs the query string of a socket, including the token).
"""

import logging
import re
import sys

import structlog
from structlog.typing import EventDict, Processor, ProcessorReturnValue

log: structlog.stdlib.BoundLogger = structlog.get_logger("chat")

NAMES = "(?: token | access_token | refresh_token | password | new_password | current_password | secret_key )"
SECRETS = re.compile(
    rf"""(?ixs)
    ( [?&] {NAMES} = ) [^\s"'&\\]*                   # in a URL, which a quote ends
    | ( \b {NAMES} \b \\{{0,31}} ["']? \s* [=:] \s*   # the name before a secret
      | \b bearer \\{{0,31}} ["']? (?: \s+ | ,\s* | %20 ) )
      (?: ( \\{{0,31}} ["'] ) (?: (?!\3) (?: \\. | . ) )*   # the secret in quotes, which may be escaped,
        | [^\s"'&,;}}\])\\]+ )                       # or up to the next delimiter
    | (?<! [\w-] ) (?= [\w-]++ \. [\w-]++ \. )      # three parts with dots,
      ( [\w-]*? \b ) eyJ [\w-]+ \. [\w-]+ \. [\w-]*  # of which a JWT is the end
    """
)
"""Takes time in proportion to the text, whatever it is: backslashes are bounded, and a JWT is looked for only in parts
that were read to their end."""

MAX_FIELD = 2_000
"""Characters of one field of a log line. A client may send a path of 64 kB."""


def redact(text: str) -> str:
    """Replace passwords and tokens in the text."""
    return SECRETS.sub(lambda found: "".join(filter(None, found.groups())) + "[redacted]", text)


def configure_logging(level: str, log_format: str) -> None:
    """Log to standard error: as readable text on a terminal (or with `console`), else one JSON object per line."""
    is_console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_console else "iso", utc=not is_console),
        _drop_color,
    ]
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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, is_console=is_console))
    _route(handler, level)


def _route(handler: logging.Handler, level: str) -> None:
    """Send everything to one handler, and set the levels."""
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    logging.getLogger("audit").setLevel(logging.INFO)  # whatever the level of the others
    for name in ("alembic", "sqlalchemy", "websockets", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _formatter(shared: list[Processor], *, is_console: bool) -> logging.Formatter:
    rendering: list[Processor] = (
        [_console_renderer()]
        if is_console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _cut_fields,
            *rendering,
            _redact_output,
        ],
    )


def _console_renderer() -> Processor:
    """With Rich installed, the default formatter would show local variables, passwords among them."""
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _drop_color(_logger: object, _method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)
    return event


def _cut_fields(_logger: object, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if isinstance(value, str) and len(value) > MAX_FIELD:
            event[name] = value[:MAX_FIELD] + "…"
    return event


def _redact_output(_logger: object, _method: str, rendered: ProcessorReturnValue) -> ProcessorReturnValue:
    return redact(rendered) if isinstance(rendered, str) else rendered
