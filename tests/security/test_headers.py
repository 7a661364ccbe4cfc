"""Security headers, caching, content security policy, and files that must not be served."""

import httpx
import pytest

from tests.support.people import Person
from tests.support.server import ChatServer

PATHS = [
    "/",
    "/health",
    "/docs",
    "/redoc",
    "/test",
    "/openapi.json",
    "/static/favicon.svg",
    "/nothing",
    "/api/rooms",
    "/api/auth/me",
    "/api/nothing",
]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_the_security_headers(server: ChatServer, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        for method in ("GET", "POST", "OPTIONS"):
            headers = (await http.request(method, path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert "Server" not in headers, "the server's software is not revealed"
            assert "X-Powered-By" not in headers


async def test_refusals_by_middleware_have_the_security_headers(server: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/rooms", content=b"x" * 200_000)
    assert answer.status_code == 413
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_private_answers_are_not_cached(alice: Person, room: int) -> None:
    await alice.http.post(f"/api/messages/{room}", json={"content": "private"})
    for path in (
        "/api/rooms",
        f"/api/rooms/{room}",
        f"/api/messages/{room}",
        "/api/auth/me",
        "/api/auth/sessions",
    ):
        assert (await alice.http.get(path)).headers["Cache-Control"] == "no-store"
    login = {"username": alice.username, "password": "correct horse"}
    assert (await alice.http.post("/api/auth/login", json=login)).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/test"])
async def test_pages_run_their_own_scripts_and_no_others(server: ChatServer, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        policy = (await http.get(path)).headers["Content-Security-Policy"]
    rules = {name: values for name, *values in (rule.split() for rule in policy.split(";"))}
    assert rules["default-src"] == ["'none'"]
    assert rules["frame-ancestors"] == ["'none'"]
    assert rules["base-uri"] == ["'none'"]
    for value in rules["script-src"]:
        assert value == "'self'" or value.startswith("'sha256-")


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/.git/config",
        "/run.py",
        "/chat.db",
        "/chat.secret",
        "/app/main.py",
        "/static/../run.py",
        "/static/%2e%2e/%2e%2e/run.py",
        "/static//etc/passwd",
        "/static/docs/../../main.py",
        "/static/package.json/../../../run.py",
    ],
)
async def test_private_files_are_not_served(server: ChatServer, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
