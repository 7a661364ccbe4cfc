"""An APIRoute that reads JSON strictly, with the decoder of the sockets."""

from collections.abc import Callable, Coroutine
from json import JSONDecodeError
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from app.core import strict_json
from app.schemas.problems import responses


class StrictRequest(Request):
    async def json(self) -> object:
        """Decode the body. Raises JSONDecodeError, which FastAPI reports like any other invalid field."""
        body = await self.body()
        try:
            return strict_json.decode(body)
        except strict_json.InvalidJson as error:
            raise JSONDecodeError(error.detail, "", 0) from None


class StrictRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly


def api(prefix: str, tag: str) -> APIRouter:
    """Create a router of the REST API. Each of its endpoints may refuse a request with these statuses."""
    common = responses(413, 422, 429, 503)
    return APIRouter(prefix=f"/api/{prefix}", tags=[tag], route_class=StrictRoute, responses=common)
