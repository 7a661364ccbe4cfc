"""CORS (https://fetch.spec.whatwg.org): which pages of other origins may read answers."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from app.core.config import Settings
from app.core.origins import Origin


class CrossOrigin(CORSMiddleware):
    """Starlette's middleware, with the rule that holds for sockets too."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Link", "Retry-After", "Epoch"],
            allow_credentials=settings.cors_credentials,
            max_age=600,
        )
        self._settings = settings

    def is_allowed_origin(self, origin: str) -> bool:
        found = Origin.parse(origin)
        return found is not None and self._settings.allows_origin(found)
