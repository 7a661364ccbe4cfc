"""An APIRoute that reads JSON strictly, with the decoder of the sockets, and refuses unknown query parameters."""

from collections.abc import Callable, Collection, Coroutine
from itertools import islice
from json import JSONDecodeError
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.core import strict_json
from app.core.unknown_keys import first_unknown, is_added_on_the_way
from app.schemas.problems import responses

MAX_KEYS = 32
"""Keys of a body that are looked at, more than any has. Pydantic makes an error of each unknown one, and thousands took
longer than anything else that a client can ask for."""


class StrictRequest(Request):
    async def json(self) -> object:
        """Decode the body. Raises JSONDecodeError, which FastAPI reports like any other invalid field.

        Its size is left for `dependencies.caller`, which is asked afterwards.
        """
        body = await self.body()
        self.state.body_size = len(body)
        try:
            document = strict_json.decode(body)
        except strict_json.InvalidJson as error:
            raise JSONDecodeError(error.detail, "", 0) from None
        if isinstance(document, dict) and len(document) > MAX_KEYS:
            return dict(islice(document.items(), MAX_KEYS))
        return document


class StrictRoute(APIRoute):
    @property
    def query_keys(self) -> set[str]:
        return {
            parameter.alias
            for parameter in get_flat_params(self.dependant)
            if isinstance(parameter.field_info, Query)
        }

    @property
    def body_keys(self) -> list[str]:
        """The keys of the JSON body."""
        model = None if self.body_field is None else self.body_field.field_info.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        return list(model.model_fields)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = self.query_keys

        async def strictly(request: Request) -> Response:
            if request.scope["query_string"]:
                _check_query(request, known)
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly


def _check_query(request: Request, known: Collection[str]) -> None:
    """Raises RequestValidationError for a parameter that the endpoint does not have."""
    given = (name for name in request.query_params if not is_added_on_the_way(name))
    unknown = first_unknown(given, known)
    if unknown is not None:
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", unknown), "msg": ""}])


def api(prefix: str, tag: str) -> APIRouter:
    """Create a router of the REST API. Each of its endpoints may refuse a request with these statuses."""
    common = responses(413, 422, 429, 503)
    return APIRouter(prefix=f"/api/{prefix}", tags=[tag], route_class=StrictRoute, responses=common)
