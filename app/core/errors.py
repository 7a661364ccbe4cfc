"""The errors a client can be told about: a class per sentence.

The class name is the stable code (`EditWindowClosed` → `edit_window_closed`), the docstring is the message,
the parent is the HTTP status (RFC 9110). Each error stands beside the function that raises it.
"""

import re
from typing import Any, ClassVar


class AppError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    headers: ClassVar[dict[str, str]] = {}
    retry_after: float | None = None
    """Seconds until a retry can succeed, where that is known."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        super().__init__(self.detail)


class BadRequest(AppError):
    """The request cannot be understood."""

    status = 400


class Unauthorized(AppError):
    """Sign in first."""

    status = 401
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(AppError):
    """You may not do this."""

    status = 403


class NotFound(AppError):
    """There is no such thing, or not for you."""

    status = 404


class Conflict(AppError):
    """This is at odds with what is already there."""

    status = 409


class PayloadTooLarge(AppError):
    """This is larger than the server takes."""

    status = 413


class Unprocessable(AppError):
    """The content does not have the right form."""

    status = 422


class TooManyRequests(AppError):
    """Slow down, and try again a little later."""

    status = 429

    def __init__(self, retry_after: float = 1.0) -> None:
        super().__init__()
        self.retry_after = retry_after


class Unavailable(AppError):
    """The server cannot do this at the moment; try again."""

    status = 503
