"""No secret reaches a log, by any route, under this server or plain uvicorn, at any log level."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote

import httpx
import pytest

from tests.support.people import sign_in
from tests.support.plain import plain_uvicorn
from tests.support.rawclient import frame, raw_client
from tests.support.server import DEADLINE, ChatServer

pytestmark = pytest.mark.xdist_group("canary")  # so that its two extra servers start only once

PASSWORD = "canary-Tweet-Tweet-1"
NEW_PASSWORD = "canary-Chirp-Chirp-2"
WRONG_PASSWORD = "canary-Cuckoo-3"
GUESS = "canary-Token-4"
CONTENT = "canary sings to this room alone"
"""The content of a message is private too. Only uvicorn at level trace logs every frame."""

SECRETS = (PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, GUESS)


@pytest.fixture(scope="module")
def debug_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """This server at log level debug."""
    with ChatServer(tmp_path_factory.mktemp("debug-server"), log_level="debug") as running:
        yield running


@pytest.fixture(scope="module")
def trace_uvicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """uvicorn with its own logging at level trace."""
    folder = tmp_path_factory.mktemp("trace-uvicorn")
    with plain_uvicorn(folder, "--log-level", "trace", log_level="debug") as running:
        yield running


@pytest.fixture(params=["server", "plain", "debug_server", "trace_uvicorn"])
def any_server(request: pytest.FixtureRequest) -> ChatServer:
    found: ChatServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def http(any_server: ChatServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=any_server.url, timeout=DEADLINE) as client:
        yield client


async def test_no_secret_reaches_a_log(any_server: ChatServer, http: httpx.AsyncClient) -> None:
    before = len(any_server.log.read_text())
    name = f"canary {any_server.port} {before}"
    tokens = await use_passwords(http, name)
    tokens += await use_tokens_everywhere(any_server, http, tokens[0])
    tokens += await failing_requests(http, tokens[0])
    await (await sign_in(any_server, "user1", "password123")).http.aclose()
    log = any_server.log.read_text()[before:]
    assert CONTENT not in log or "trace" in any_server.command
    for secret in (*SECRETS, *tokens):
        for written in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
            assert written not in log
    assert not any(part in log for token in tokens if token.count(".") == 2 for part in token.split(".")[1:])


async def use_passwords(http: httpx.AsyncClient, name: str) -> list[str]:
    """Sign up, log in at both endpoints with the right and a wrong password, refresh, change the password. Returns all
    tokens.
    """
    right, wrong = ({"username": name, "password": password} for password in (PASSWORD, WRONG_PASSWORD))
    await http.post("/api/auth/signup", json=right)
    await http.post("/api/auth/signup", json=right)
    grants = []
    for body in (right, wrong):
        grants += [
            await http.post("/api/auth/login", json=body),
            await http.post("/api/auth/token", data=body),
        ]
    tokens = [answer.json() for answer in grants if answer.status_code == 200]
    assert len(tokens) == 2
    spent = {"refresh_token": tokens[1]["refresh_token"]}
    tokens.append((await http.post("/api/auth/refresh", json=spent)).json())
    await http.post("/api/auth/refresh", json=spent)
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    headers = {"Authorization": f"Bearer {tokens[0]['access_token']}"}
    answer = await http.post("/api/auth/password", json=change, headers=headers)
    assert answer.status_code == 204
    return [grant[key] for grant in tokens for key in ("access_token", "refresh_token")]


async def use_tokens_everywhere(server: ChatServer, http: httpx.AsyncClient, token: str) -> list[str]:
    """Send valid and invalid tokens in URLs, headers, subprotocols and commands, also where no token belongs."""
    for token_or_guess in (token, GUESS, token + GUESS):
        for path, headers in (
            (f"/ws/chat/1?token={token_or_guess}", ""),
            (f"/ws?x=1&token={token_or_guess}&since=0", ""),
            (f"/ws/chat/abc?token={token_or_guess}", ""),
            (f"/ws/nothing?token={token_or_guess}", ""),
            ("/ws", f"Authorization: Bearer {token_or_guess}\r\n"),
            ("/ws", f"Sec-WebSocket-Protocol: bearer, {token_or_guess}\r\n"),
        ):
            async with raw_client(server, path, headers) as client:
                if b" 101 " in client.head:
                    await client.next_frame()
        await http.get(
            f"/api/auth/me?token={token_or_guess}&access_token={token_or_guess}",
            headers={"Authorization": f"Bearer {token_or_guess}"},
        )
        await http.get(f"/nothing?password={PASSWORD}&refresh_token={token_or_guess}")
    async with raw_client(server, f"/ws/chat/1?token={token}") as client:
        await client.hears("ready")
        for command in (
            {"type": "auth", "token": token},
            {"type": "auth", "token": GUESS},
            {"type": "auth", "token": GUESS, "ref": {}},
            {"type": "login", "password": PASSWORD},
            {"type": "message", "content": CONTENT},
        ):
            await client.sends(frame(json.dumps(command).encode()))
        await client.hears("message", message=CONTENT)
    return []


async def failing_requests(http: httpx.AsyncClient, token: str) -> list[str]:
    """Requests that fail, since servers tend to log these."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"username": "x", "password": PASSWORD})
    for content in (body[:-1], f"[{body}]", body.replace('"x"', "5"), body + "x" * 200_000):
        for path in ("/api/auth/signup", "/api/auth/login", "/api/auth/password", "/api/auth/refresh"):
            answer = await http.post(path, content=content, headers=headers)
            assert answer.status_code in (413, 422)
            assert PASSWORD not in answer.text
    await http.put(f"/api/auth/login?password={PASSWORD}", content=body)
    answer = await http.post("/api/messages/1", json={"content": CONTENT, "reply_to": 10**9}, headers=headers)
    assert answer.status_code == 422
    return []


async def test_plain_uvicorn_logs_urls_with_the_token_redacted(trace_uvicorn: ChatServer) -> None:
    """The test above is not empty: plain uvicorn logs every URL, with the token redacted."""
    user1 = await sign_in(trace_uvicorn, "user1", "password123")
    async with user1.enters(1):
        pass
    await user1.http.aclose()
    log = trace_uvicorn.log.read_text()
    assert "/ws/chat/1?token=[redacted]" in log
    assert "POST /api/auth/login" in log
