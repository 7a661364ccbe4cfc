"""The section "Production Deployment" of the document: its five steps."""

import secrets
from pathlib import Path

import httpx
import pytest

from app.core.config import Settings
from tests.support.people import sign_up
from tests.support.server import ChatServer


@pytest.mark.parametrize(
    "url, driver",
    [
        ("postgresql://chat:secret@localhost/chat", "postgresql+psycopg"),
        ("mysql://chat:secret@localhost/chat", "mysql+pymysql"),
    ],
)
def test_use_postgresql_or_mysql_for_production_database(url: str, driver: str) -> None:
    """Only the URL changes; tests/databases runs on both."""
    assert Settings(_env_file=None, database_url=url).url.drivername == driver


async def test_a_production_server_as_the_document_sets_it_up(production: ChatServer) -> None:
    """A strong key, proper CORS origins, and nginx in front, which terminates HTTPS and forwards the address."""
    async with httpx.AsyncClient(base_url=production.url) as browser:
        for name, password in (("admin", "admin123"), ("user1", "password123")):
            sample = await browser.post("/api/auth/login", json={"username": name, "password": password})
            assert sample.status_code == 401, "accounts with public passwords do not exist"
        assert (await browser.get("/")).json()["sample_accounts"] == []
        for page, is_allowed in (("https://chat.example.com", True), ("http://localhost:3000", False)):
            answer = await browser.get("/health", headers={"Origin": page})
            assert (answer.headers.get("Access-Control-Allow-Origin") == page) is is_allowed
    person = await sign_up(production, "production user")
    rooms = [room["name"] for room in await person.get("/api/rooms")]
    assert "General" not in rooms, "there are no sample rooms"
    created = await person.http.post("/api/rooms", json={"name": "Work"})
    async with person.enters(created.json()["id"]) as here:
        await here.says("it works")
        await here.hears("message", message="it works")
    await behind_nginx(production, person.token, created.json()["id"])
    await person.http.aclose()


async def behind_nginx(server: ChatServer, token: str, room: int) -> None:
    """Links are built from the host and scheme that the proxy forwards."""
    forwarded = {"Host": "chat.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    async with httpx.AsyncClient(base_url=server.url) as nginx:
        headers = forwarded | {"Authorization": f"Bearer {token}"}
        answer = await nginx.get(f"/api/messages/{room}?limit=1", headers=headers)
    assert answer.links["next"]["url"].startswith("https://chat.example.com/api/messages/")


def test_production_starts_on_a_new_file_and_refuses_to_replace_a_lost_one(tmp_path: Path) -> None:
    with ChatServer(tmp_path, environment="production", secret_key=secrets.token_urlsafe(48)) as server:
        pass
    (tmp_path / "chat.db").unlink()
    with pytest.raises(RuntimeError, match="exited with 2"):
        server.start()
    last = server.log.read_text().splitlines()[-1]
    assert last.startswith(
        f"Cannot start: the database {tmp_path / 'chat.db'} is missing, but chat.db.epoch "
    )
    assert "python run.py serve --init" in last
    assert not (tmp_path / "chat.db").exists()
