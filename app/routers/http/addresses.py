"""Addresses as clients and proxies write them: below a path, with a slash at the end, and with HEAD instead of GET."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Addresses:
    """Rewrites a request or a handshake before it is routed.

    `root_path` is where a proxy serves this application. The proxy may remove it from the path, or not.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        root = self._root_path or scope.get("root_path", "").rstrip("/")
        scope["root_path"] = root
        scope["path"] = root + local_path(scope)
        if scope.get("method") == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await self._app(scope, receive, send)


def local_path(scope: Scope) -> str:
    """The path below `root_path`, without a slash at its end: relative links and routes know one form only."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and (path == root or path.startswith(root + "/")):
        path = path[len(root) :]
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    return path or "/"


def _without_body(send: Send) -> Send:
    """Servers drop the body of an answer to HEAD themselves (RFC 9110 section 9.3.2), but need not."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
