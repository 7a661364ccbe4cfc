"""Takes the address and the scheme of a client from the proxies that are believed, under every server."""

from typing import Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.core.logs import log

HEADER = b"x-forwarded-for"


class ForwardedHeaders(ProxyHeadersMiddleware):
    """uvicorn's middleware with the application's own setting, and one warning when the header comes from an address
    that is not believed: all clients of that proxy would share one limit."""

    def __init__(self, app: Any, trusted: list[str]) -> None:
        super().__init__(app, "*" if "*" in trusted else trusted)
        self._has_warned = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        client = cast(tuple[str, int] | None, scope.get("client"))
        if client is None or client[1] == 0:  # the server itself has replaced it already
            await self.app(scope, receive, send)
            return
        if not self._has_warned and client[0] not in self.trusted_hosts and _is_forwarded(scope):
            self._has_warned = True
            log.warning(
                "proxy.not_believed",
                address=client[0],
                advice="if this is your proxy, add its address to FORWARDED_ALLOW_IPS: its clients share their limits",
            )
        await super().__call__(scope, receive, send)


def _is_forwarded(scope: Any) -> bool:
    return any(name == HEADER for name, _ in scope["headers"])
