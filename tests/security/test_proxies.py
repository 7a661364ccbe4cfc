"""Whose `X-Forwarded-For` is believed, under every server."""

import json

import pytest
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from app.core.serving.forwarded import ForwardedHeaders

PROXY = "10.0.0.9"
FOR = [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-proto", b"https")]


async def seen(trusted: list[str], client: tuple[str, int] | None, kind: str = "http") -> tuple[object, str]:
    """The client and the scheme that the application sees."""
    scopes: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    scheme = "ws" if kind == "websocket" else "http"
    scope = {"type": kind, "client": client, "scheme": scheme, "headers": FOR}
    await ForwardedHeaders(application, trusted)(scope, None, None)
    return scopes[0]["client"], scopes[0]["scheme"]


@pytest.mark.parametrize("trusted", [[PROXY], ["10.0.0.0/8"], ["*"], ["127.0.0.1", PROXY]])
async def test_a_proxy_that_is_listed_is_believed(trusted: list[str]) -> None:
    assert await seen(trusted, (PROXY, 4711)) == (("203.0.113.7", 0), "https")
    assert await seen(trusted, (PROXY, 4711), "websocket") == (("203.0.113.7", 0), "wss")


async def test_any_other_is_not_believed_and_is_told_of_once() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None: ...

    middleware = ForwardedHeaders(application, ["127.0.0.1"])
    with capture_logs() as logs:
        for client in ((PROXY, 1), (PROXY, 2), ("10.0.0.10", 1)):
            scope = {"type": "http", "client": client, "scheme": "http", "headers": FOR}
            await middleware(scope, None, None)
            assert scope["client"] == client
    assert [(line["event"], line["address"]) for line in logs] == [("proxy.not_believed", PROXY)]
    assert "FORWARDED_ALLOW_IPS" in json.dumps(logs)


@pytest.mark.parametrize("client", [("203.0.113.7", 0), None])
async def test_what_the_server_has_replaced_already_and_a_unix_socket_stay_as_they_are(
    client: tuple[str, int] | None,
) -> None:
    """uvicorn's own middleware, which reads the same variable, leaves port 0."""
    with capture_logs() as logs:
        assert await seen(["127.0.0.1"], client) == (client, "http")
    assert logs == []


async def test_no_header_is_no_news() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None: ...

    with capture_logs() as logs:
        scope = {"type": "http", "client": (PROXY, 1), "scheme": "http", "headers": []}
        await ForwardedHeaders(application, [])(scope, None, None)
    assert logs == []
