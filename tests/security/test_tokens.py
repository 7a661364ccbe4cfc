"""An invalid token is refused everywhere, with the same answer whatever is wrong with it."""

import json
from collections.abc import Callable

import httpx
import pytest

from tests.security import forge
from tests.support.people import Person
from tests.support.problems import check_problem
from tests.support.rawclient import raw_client
from tests.support.server import ChatServer

FORGED = forge.WITHOUT_THE_KEY | forge.WITH_THE_KEY


async def refusals(server: ChatServer, token: str) -> set[str]:
    """Check that REST endpoints refuse this token. Returns the different answers."""
    said = set()
    async with httpx.AsyncClient(base_url=server.url) as http:
        for path in ("/api/auth/me", "/api/rooms", "/api/messages/1"):
            answer = await http.get(path, headers={"Authorization": f"Bearer {token}"})
            assert check_problem(answer, 401) == "invalid_token"
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            said.add(answer.text)
    return said


async def closed_with(server: ChatServer, token: str) -> set[int | None]:
    """The close codes of sockets with this token in the URL, in a header and as a subprotocol."""
    codes = set()
    for path, headers in (
        (f"/ws/chat/1?token={token}", ""),
        ("/ws/chat/1", f"Authorization: Bearer {token}\r\n"),
        ("/ws", f"Sec-WebSocket-Protocol: bearer, {token}\r\n"),
    ):
        if "Protocol" in headers and "=" in token:
            continue  # not allowed in a subprotocol (RFC 6455 section 4.1)
        async with raw_client(server, path, headers) as client:
            codes.add(await client.is_closed())
    return codes


async def test_a_valid_token_made_by_the_forge_is_accepted(keyed: ChatServer, mallory: Person) -> None:
    """Otherwise the forged tokens might be refused for another reason."""
    claims = forge.claims_of(mallory.token)
    for token in (forge.sign(claims), forge.sign_bytes(forge.HEADER, json.dumps(claims).encode())):
        async with httpx.AsyncClient(base_url=keyed.url) as http:
            answer = await http.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["username"] == "user1"
        async with raw_client(keyed, f"/ws/chat/1?token={token}") as client:
            await client.hears("ready")


@pytest.mark.parametrize("forgery", FORGED.values(), ids=FORGED)
async def test_a_forged_token_is_refused_everywhere(
    keyed: ChatServer, mallory: Person, forgery: Callable[[str, forge.Claims], str]
) -> None:
    token = forgery(mallory.token, forge.claims_of(mallory.token))
    nonsense = await refusals(keyed, "nonsense")
    assert await refusals(keyed, token) == nonsense, "the same answer for every token"
    if len(token) < 8_000:  # longer request lines are refused unread
        assert await closed_with(keyed, token) == {4401}


@pytest.mark.parametrize(
    "place", ["", "Bearer", "Basic dXNlcjE6cGFzc3dvcmQxMjM=", "Bearer Bearer {}", "Token {}", "{}"]
)
async def test_a_token_in_another_form_or_place_is_refused(
    keyed: ChatServer, mallory: Person, place: str
) -> None:
    headers = {"Authorization": place.format(mallory.token)}
    async with httpx.AsyncClient(base_url=keyed.url) as http:
        assert check_problem(await http.get("/api/auth/me", headers=headers), 401) == "invalid_token"
        answer = await http.get(f"/api/auth/me?token={mallory.token}")
        assert check_problem(answer, 401) == "invalid_token", "REST accepts no token in the URL"


async def test_access_and_refresh_tokens_are_not_interchangeable(keyed: ChatServer, mallory: Person) -> None:
    await refusals(keyed, mallory.refresh_token)
    assert await closed_with(keyed, mallory.refresh_token) == {4401}
    answer = await mallory.http.post("/api/auth/refresh", json={"refresh_token": mallory.token})
    assert check_problem(answer, 401) == "invalid_token"


async def test_forged_tokens_cause_no_errors_in_the_log(keyed: ChatServer, mallory: Person) -> None:
    before = len(keyed.log.read_text())
    for forgery in FORGED.values():
        await refusals(keyed, forgery(mallory.token, forge.claims_of(mallory.token)))
    said = keyed.log.read_text()[before:]
    assert '"level": "error"' not in said
    assert "Traceback" not in said
