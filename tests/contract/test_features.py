"""The section "Features" of the document: one test for each line."""

import sqlite3

import httpx

from tests.support.people import Person
from tests.support.server import ChatServer


async def test_real_time_messaging_using_websocket(alice: Person, bob: Person, room: int) -> None:
    async with alice.enters(room) as here, bob.enters(room) as there:
        await here.says("are you there?")
        assert (await there.hears("message"))["message"] == "are you there?"
        await there.says("yes")
        assert (await here.hears("message", sender=bob.username))["message"] == "yes"


async def test_jwt_based_authentication(alice: Person) -> None:
    assert len(alice.token.split(".")) == 3
    assert (await alice.get("/api/auth/me"))["username"] == alice.username
    async with httpx.AsyncClient(base_url=alice.server.url) as anonymous:
        assert (await anonymous.get("/api/auth/me")).status_code == 401


async def test_rest_api_for_chat_history_and_room_management(alice: Person, room: int) -> None:
    await alice.http.post(f"/api/messages/{room}", json={"content": "over REST"})
    assert [message["message"] for message in await alice.history(room)] == ["over REST"]
    assert room in [one["id"] for one in await alice.get("/api/rooms")]


async def test_sqlite_database(alice: Person, room: int) -> None:
    await alice.http.post(f"/api/messages/{room}", json={"content": "on disk"})
    database = sqlite3.connect(alice.server.folder / "chat.db")
    kept = database.execute("SELECT content FROM messages WHERE room_id = ?", (room,)).fetchall()
    database.close()
    assert kept == [("on disk",)]


async def test_cors_support_for_frontend_integration(server: ChatServer) -> None:
    """A page on a development server of this machine may call. security/test_origins.py has other origins."""
    page = "http://localhost:3000"
    preflight_headers = {"Origin": page, "Access-Control-Request-Method": "POST"}
    headers = {"Access-Control-Request-Headers": "authorization, content-type"}
    async with httpx.AsyncClient(base_url=server.url) as browser:
        preflight = await browser.options("/api/auth/login", headers=preflight_headers | headers)
        answer = await browser.get("/health", headers={"Origin": page})
    assert preflight.status_code == 200
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()
    assert answer.headers["Access-Control-Allow-Origin"] == page


async def test_auto_generated_api_documentation_with_swagger(server: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as browser:
        page = (await browser.get("/docs")).text
        document = (await browser.get("/openapi.json")).json()
    assert "SwaggerUIBundle" in page
    documented = {
        "/api/auth/signup": "post",
        "/api/auth/login": "post",
        "/api/auth/me": "get",
        "/api/rooms": "get",
        "/api/rooms/{room_id}": "get",
        "/api/messages/{room_id}": "get",
        "/api/messages/{room_id}/recent": "get",
        "/health": "get",
    }
    for path, method in documented.items():
        assert method in document["paths"][path], path
