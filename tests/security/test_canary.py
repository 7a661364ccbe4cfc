"""No secret reaches a log, whichever way it comes in, whoever serves, and however much is logged."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote

import httpx
import pytest

from tests.support.people import sign_in
from tests.support.plain import plain_uvicorn
from tests.support.rawclient import frame, raw_client
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("canary")  # two servers of its own are enough

PASSWORD = "canary-Tweet-Tweet-1"
NEW_PASSWORD = "canary-Chirp-Chirp-2"
WRONG_PASSWORD = "canary-Cuckoo-3"
GUESS = "canary-Token-4"
WHISPER = "canary whispers to nobody but this room"
"""What people say is nobody's business either; but who asks uvicorn for every frame gets every frame."""

SECRETS = (PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, GUESS)


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """Ours, telling everything."""
    with ChatServer(tmp_path_factory.mktemp("loud"), log_level="debug") as running:
        yield running


@pytest.fixture(scope="module")
def loud_plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """uvicorn with the logging that it sets up itself, telling everything."""
    folder = tmp_path_factory.mktemp("loud-plain")
    with plain_uvicorn(folder, "--log-level", "trace", log_level="debug") as running:
        yield running


@pytest.fixture(params=["server", "plain", "loud", "loud_plain"])
def any_server(request: pytest.FixtureRequest) -> ChatServer:
    found: ChatServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def http(any_server: ChatServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=any_server.url) as client:
        yield client


async def test_no_secret_reaches_a_log(any_server: ChatServer, http: httpx.AsyncClient) -> None:
    before = len(any_server.log.read_text())
    name = f"canary {any_server.port} {before}"
    given = await passwords(http, name)
    given += await tokens_in_every_place(any_server, http, given[0])
    given += await what_goes_wrong(http, given[0])
    await (await sign_in(any_server, "user1", "password123")).http.aclose()
    log = any_server.log.read_text()[before:]
    assert WHISPER not in log or "trace" in any_server.command
    for secret in (*SECRETS, *given):
        for written in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
            assert written not in log
    assert not any(part in log for token in given if token.count(".") == 2 for part in token.split(".")[1:])


async def passwords(http: httpx.AsyncClient, name: str) -> list[str]:
    """Sign up, sign in in both ways, rightly and wrongly, refresh, change. Returns the tokens that came."""
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


async def tokens_in_every_place(server: ChatServer, http: httpx.AsyncClient, token: str) -> list[str]:
    """In addresses, headers, subprotocols and commands; good ones, bad ones, and where none belongs."""
    for one in (token, GUESS, token + GUESS):
        for path, headers in (
            (f"/ws/chat/1?token={one}", ""),
            (f"/ws?x=1&token={one}&since=0", ""),
            (f"/ws/chat/abc?token={one}", ""),
            (f"/ws/nothing?token={one}", ""),
            ("/ws", f"Authorization: Bearer {one}\r\n"),
            ("/ws", f"Sec-WebSocket-Protocol: bearer, {one}\r\n"),
        ):
            async with raw_client(server, path, headers) as client:
                if b" 101 " in client.head:
                    await client.next_frame()
        await http.get(
            f"/api/auth/me?token={one}&access_token={one}", headers={"Authorization": f"Bearer {one}"}
        )
        await http.get(f"/nothing?password={PASSWORD}&refresh_token={one}")
    async with raw_client(server, f"/ws/chat/1?token={token}") as client:
        await client.hears("ready")
        for command in (
            {"type": "auth", "token": token},
            {"type": "auth", "token": GUESS},
            {"type": "auth", "token": GUESS, "ref": {}},
            {"type": "login", "password": PASSWORD},
            {"type": "message", "content": WHISPER},
        ):
            await client.sends(frame(json.dumps(command).encode()))
        await client.hears("message", message=WHISPER)
    return []


async def what_goes_wrong(http: httpx.AsyncClient, token: str) -> list[str]:
    """Requests that end in an error are those that somebody logs."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"username": "x", "password": PASSWORD})
    for content in (body[:-1], f"[{body}]", body.replace('"x"', "5"), body + "x" * 200_000):
        for path in ("/api/auth/signup", "/api/auth/login", "/api/auth/password", "/api/auth/refresh"):
            answer = await http.post(path, content=content, headers=headers)
            assert answer.status_code in (413, 422)
            assert PASSWORD not in answer.text
    await http.put(f"/api/auth/login?password={PASSWORD}", content=body)
    answer = await http.post("/api/messages/1", json={"content": WHISPER, "reply_to": 10**9}, headers=headers)
    assert answer.status_code == 422
    return []


async def test_the_log_would_have_told(loud_plain: ChatServer) -> None:
    """It is not that nothing is logged: plain uvicorn names every address, without what must not stand there."""
    user1 = await sign_in(loud_plain, "user1", "password123")
    async with user1.enters(1):
        pass
    await user1.http.aclose()
    log = loud_plain.log.read_text()
    assert "/ws/chat/1?token=[redacted]" in log
    assert "POST /api/auth/login" in log
