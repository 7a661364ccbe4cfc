"""The base classes of errors that are reported to clients.

The class name is the stable code (`EditWindowClosed` → `edit_window_closed`), the docstring is the message, and the
parent sets the HTTP status (RFC 9110). Each error is defined beside the function that raises it.
"""

import re
from typing import ClassVar


class AppError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    headers: ClassVar[dict[str, str]] = {}
    retry_after: float | None = None
    """Seconds until a retry can succeed, if known."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        super().__init__(self.detail)


class BadRequest(AppError):
    """The request is malformed."""

    status = 400


class Unauthorized(AppError):
    """Sign in first."""

    status = 401
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(AppError):
    """You are not allowed to do this."""

    status = 403


class NotFound(AppError):
    """This does not exist, or you may not see it."""

    status = 404


class Conflict(AppError):
    """This conflicts with the current state."""

    status = 409


class PayloadTooLarge(AppError):
    """This is larger than the server accepts."""

    status = 413


class Unprocessable(AppError):
    """The content is invalid."""

    status = 422


class TooManyRequests(AppError):
    """Too many requests; try again later."""

    status = 429

    def __init__(self, retry_after: float = 1.0) -> None:
        super().__init__()
        self.retry_after = retry_after


class InsufficientStorage(AppError):
    """The server has no room for this."""

    status = 507


class Unavailable(AppError):
    """The server cannot do this now; try again."""

    status = 503
