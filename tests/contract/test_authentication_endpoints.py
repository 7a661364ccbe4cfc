"""The section "Authentication Endpoints" of the document: its requests, as written there."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.people import Person
from tests.support.server import ChatServer

TESTUSER = b"""{
  "username": "testuser",
  "password": "password123"
}"""
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def client(server: ChatServer) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token. No other test signs up `testuser`."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        yield http


async def test_register_user_login_and_get_current_user(client: httpx.AsyncClient) -> None:
    registered = await client.post("/api/auth/signup", content=TESTUSER, headers=JSON)
    assert registered.status_code == 201
    assert registered.json().keys() == {"id", "username", "created_at"}, "the answer contains no hash"
    assert registered.json()["username"] == "testuser"

    answer = await client.post("/api/auth/login", content=TESTUSER, headers=JSON)
    assert answer.status_code == 200
    grant = answer.json()
    assert grant["token_type"] == "bearer"
    assert grant["access_token"].startswith("eyJ")
    assert grant["refresh_token"]
    assert grant["expires_in"] == 1440 * 60

    me = await client.get("/api/auth/me", headers={"Authorization": f"Bearer {grant['access_token']}"})
    assert me.status_code == 200
    assert me.json() == registered.json()

    again = await client.post("/api/auth/signup", content=TESTUSER, headers=JSON)
    assert again.status_code == 409
    assert again.json()["code"] == "username_taken"


async def test_a_wrong_password_is_refused(alice: Person) -> None:
    wrong = {"username": alice.username, "password": "password124"}
    answer = await alice.http.post("/api/auth/login", json=wrong)
    assert answer.status_code == 401
    assert answer.json()["code"] == "wrong_credentials"


@pytest.mark.parametrize(
    "path", ["/api/auth/me", "/api/rooms", "/api/rooms/1", "/api/messages/1", "/api/messages/1/recent"]
)
async def test_a_request_without_a_token_is_refused(server: ChatServer, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as anonymous:
        answer = await anonymous.get(path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_the_authorize_button_of_swagger_takes_a_name_and_a_password(alice: Person) -> None:
    """The password flow of the OpenAPI document and its `tokenUrl`."""
    schemes = (await alice.get("/openapi.json"))["components"]["securitySchemes"]
    [scheme] = schemes.values()
    assert scheme["type"] == "oauth2"
    form = {"grant_type": "password", "username": alice.username, "password": "correct horse", "scope": ""}
    async with httpx.AsyncClient(base_url=alice.server.url) as swagger:
        answer = await swagger.post(scheme["flows"]["password"]["tokenUrl"], data=form)
        assert answer.status_code == 200
        token = answer.json()["access_token"]
        me = await swagger.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["username"] == alice.username


async def test_every_operation_that_needs_a_token_declares_it_in_openapi(alice: Person) -> None:
    """Otherwise Swagger sends no token after *Authorize*."""
    document = await alice.get("/openapi.json")
    without_token = {"/api/auth/signup", "/api/auth/login", "/api/auth/token", "/api/auth/refresh"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            needs_token = path.startswith("/api/") and path not in without_token
            assert bool(operation.get("security")) is needs_token, path
