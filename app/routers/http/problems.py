"""Turns every error into a problem document (RFC 9457), never with a traceback."""

import math
from collections.abc import Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.core import strict_json
from app.core.errors import AppError
from app.core.logs import log
from app.core.strict_json import InvalidJson
from app.core.unknown_keys import no_such, shown
from app.routers.http.strict_routes import StrictRoute
from app.schemas.problems import PROBLEM_JSON, TITLES, FieldError, Problem

UNKNOWN = "extra_forbidden"
OBJECT_EXPECTED = "A JSON object is expected, sent with `content-type: application/json`."


def install(app: FastAPI, root_path: str = "") -> None:
    """Register handlers for every error of the application."""
    app.add_exception_handler(AppError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    describe(app, root_path)


def describe(app: FastAPI, root_path: str) -> None:
    """Add the schema of the problem document, which all endpoints in OpenAPI refer to, and mend the address where
    Swagger UI signs in, which it does not take relative to the server."""
    plain = app.openapi

    def openapi() -> dict[str, object]:
        document = plain()
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        for scheme in document["components"]["securitySchemes"].values():
            flow = scheme["flows"]["password"]
            flow["tokenUrl"] = root_path + flow["tokenUrl"].removeprefix(root_path)
        document["components"]["schemas"] |= schema.pop("$defs") | {"Problem": schema}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def problem(
    status: int,
    code: str,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body = Problem(
        title=TITLES.get(status, HTTPStatus(status).phrase),
        status=status,
        detail=detail,
        code=code,
        errors=errors,
    )
    content = strict_json.encode(body.model_dump(exclude_none=True))
    return Response(content, status, headers, PROBLEM_JSON)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    _log_refusal(request, error.status, error.code)
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    elif error.status >= 500:  # with a known retry time it is a limit, not a failure
        log.error("request.failed", code=error.code, cause=repr(error.__cause__))
    return problem(error.status, error.code, error.detail, headers=headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """Report where and why, and never repeat the input: it may be a password, or not even text."""
    assert isinstance(error, RequestValidationError)
    _log_refusal(request, 422, "validation_failed")
    found = sorted(error.errors(), key=lambda one: one["type"] != UNKNOWN)  # one often explains a missing key
    errors = [
        FieldError(
            loc=[part if isinstance(part, int) else shown(str(part)) for part in one["loc"]],
            msg=_unknown_key(request, one["loc"]) if one["type"] == UNKNOWN else one["msg"],
            type=one["type"],
        )
        for one in found
    ]
    if errors[0].type == "json_invalid":
        return problem(422, InvalidJson.code, error.errors()[0]["ctx"]["error"])
    first = errors[0]
    if first.loc == ["body"] and first.type == "model_attributes_type":
        return problem(422, "validation_failed", OBJECT_EXPECTED, errors)
    where = ".".join(str(part) for part in first.loc[1:])
    return problem(422, "validation_failed", f"{where}: {first.msg}." if where else f"{first.msg}.", errors)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = TITLES.get(error.status_code, HTTPStatus(error.status_code).phrase)
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    _log_refusal(request, error.status_code, code)
    headers = dict(error.headers or {})
    if "GET" in headers.get("Allow", ""):
        headers["Allow"] += ", HEAD"
    return problem(error.status_code, code, str(error.detail or phrase), headers=headers)


def crashed(request: Request, error: Exception) -> Response:
    """The answer to an error that nothing expected, which is logged."""
    log.error("request.crashed", method=request.method, path=request.url.path, exc_info=error)
    return problem(500, AppError.code, "Something went wrong on our side.")


def _log_refusal(request: Request, status: int, code: str) -> None:
    """Log the refusal at LOG_LEVEL=debug, for developers of clients."""
    log.debug("request.refused", method=request.method, path=request.url.path, status=status, code=code)


def _unknown_key(request: Request, loc: Sequence[object]) -> str:
    """What a client can do about a key or a parameter that is not known."""
    route: StrictRoute = request.scope["route"]
    known = route.query_keys if loc[0] == "query" else route.body_keys
    return no_such("parameter" if loc[0] == "query" else "key", str(loc[-1]), known)
