"""Whatever is wrong with a token, it opens nothing, and nobody learns what was wrong."""

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
    """What REST says to this token, in every place where one can stand."""
    said = set()
    async with httpx.AsyncClient(base_url=server.url) as http:
        for path in ("/api/auth/me", "/api/rooms", "/api/messages/1"):
            answer = await http.get(path, headers={"Authorization": f"Bearer {token}"})
            assert check_problem(answer, 401) == "invalid_token"
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            said.add(answer.text)
    return said


async def closed_with(server: ChatServer, token: str) -> set[int | None]:
    """How sockets end that come with this token, in every place where one can stand."""
    codes = set()
    for path, headers in (
        (f"/ws/chat/1?token={token}", ""),
        ("/ws/chat/1", f"Authorization: Bearer {token}\r\n"),
        ("/ws", f"Sec-WebSocket-Protocol: bearer, {token}\r\n"),
    ):
        if "Protocol" in headers and "=" in token:
            continue  # no subprotocol may hold that (RFC 6455 section 4.1)
        async with raw_client(server, path, headers) as client:
            codes.add(await client.is_closed())
    return codes


async def test_one_made_the_same_way_is_accepted(keyed: ChatServer, mallory: Person) -> None:
    """Else all the others might be refused for another reason."""
    claims = forge.claims_of(mallory.token)
    for token in (forge.sign(claims), forge.by_hand(forge.HEADER, json.dumps(claims).encode())):
        async with httpx.AsyncClient(base_url=keyed.url) as http:
            answer = await http.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["username"] == "user1"
        async with raw_client(keyed, f"/ws/chat/1?token={token}") as client:
            await client.hears("ready")


@pytest.mark.parametrize("forgery", FORGED.values(), ids=FORGED)
async def test_a_forged_token_opens_nothing(
    keyed: ChatServer, mallory: Person, forgery: Callable[[str, forge.Claims], str]
) -> None:
    token = forgery(mallory.token, forge.claims_of(mallory.token))
    nonsense = await refusals(keyed, "nonsense")
    assert await refusals(keyed, token) == nonsense, "the same words for everything"
    if len(token) < 8_000:  # longer lines are refused before anybody reads them
        assert await closed_with(keyed, token) == {4401}


@pytest.mark.parametrize(
    "place", ["", "Bearer", "Basic dXNlcjE6cGFzc3dvcmQxMjM=", "Bearer Bearer {}", "Token {}", "{}"]
)
async def test_a_token_in_another_dress_opens_nothing(keyed: ChatServer, mallory: Person, place: str) -> None:
    headers = {"Authorization": place.format(mallory.token)}
    async with httpx.AsyncClient(base_url=keyed.url) as http:
        assert check_problem(await http.get("/api/auth/me", headers=headers), 401) == "invalid_token"
        answer = await http.get(f"/api/auth/me?token={mallory.token}")
        assert check_problem(answer, 401) == "invalid_token", "REST takes none in the address"


async def test_a_refresh_token_is_no_access_token_and_the_other_way_round(
    keyed: ChatServer, mallory: Person
) -> None:
    await refusals(keyed, mallory.refresh_token)
    assert await closed_with(keyed, mallory.refresh_token) == {4401}
    answer = await mallory.http.post("/api/auth/refresh", json={"refresh_token": mallory.token})
    assert check_problem(answer, 401) == "invalid_token"


async def test_nothing_of_this_is_an_error_of_ours(keyed: ChatServer, mallory: Person) -> None:
    before = len(keyed.log.read_text())
    for forgery in FORGED.values():
        await refusals(keyed, forgery(mallory.token, forge.claims_of(mallory.token)))
    said = keyed.log.read_text()[before:]
    assert '"level": "error"' not in said
    assert "Traceback" not in said
