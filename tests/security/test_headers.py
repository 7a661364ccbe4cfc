"""Security headers, caching, content security policy, and files that must not be served."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from app.core.config import Settings
from app.main import create_app
from tests.support.people import Person
from tests.support.problems import check_problem
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
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert "Strict-Transport-Security" not in headers, "this came over http"
            assert "Server" not in headers, "the server's software is not revealed"
            assert "X-Powered-By" not in headers


async def test_refusals_by_middleware_have_the_security_headers(server: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/rooms", content=b"x" * 200_000)
    assert answer.status_code == 413
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", PATHS)
async def test_what_came_over_https_stays_there(server: ChatServer, path: str) -> None:
    headers = {"Host": "chat.example.com", "X-Forwarded-Proto": "https"}
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.get(path, headers=headers)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        for name in ("localhost", "localhost:8443", "chat.localhost:8443"):
            answer = await http.get(path, headers=headers | {"Host": name})
            assert "Strict-Transport-Security" not in answer.headers, (
                "http must go on working on this machine"
            )


@pytest.fixture
def broken() -> FastAPI:
    """An application with an endpoint that crashes, before its answer begins or after that."""
    app = create_app(Settings(_env_file=None, cors_origins=["https://app.example"]))

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("secret detail")

    @app.get("/crash/later")
    async def crash_later() -> StreamingResponse:
        async def body() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError("secret detail")

        return StreamingResponse(body())

    return app


async def test_a_crash_is_a_problem_with_all_headers(broken: FastAPI) -> None:
    transport = httpx.ASGITransport(broken)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        answer = await http.get("/crash", headers={"Origin": "https://app.example"})
    assert check_problem(answer, 500) == "error"
    assert "secret" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example", "its page can read it"


async def test_a_crash_in_the_middle_of_an_answer_ends_the_connection(broken: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(broken), base_url="http://here") as http:
        with pytest.raises(RuntimeError):
            await http.get("/crash/later")


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
