"""Errors on the wire: RFC 9457 problem details, with a stable `code`."""

from pydantic import BaseModel

PROBLEM_JSON = "application/problem+json"


class FieldError(BaseModel):
    """An error in one field."""

    loc: list[str | int]
    msg: str
    type: str


class Problem(BaseModel):
    """An error. `code` is for programs and never changes; `detail` is for people."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] | None = None


def responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The OpenAPI responses of an endpoint that can refuse a request with these statuses."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": TITLES[status], "content": {PROBLEM_JSON: schema}} for status in statuses}


TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    422: "Unprocessable Content",
    426: "Upgrade Required",
    429: "Too Many Requests",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}
