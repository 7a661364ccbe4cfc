"""The section "Sample Data" of the document."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.config import Settings
from tests.support.people import Person, sign_in
from tests.support.server import ChatServer

USERS = {"admin": "admin123", "user1": "password123", "user2": "password123"}


@pytest.mark.parametrize("name", USERS)
async def test_pre_created_users(server: ChatServer, name: str) -> None:
    person = await sign_in(server, name, USERS[name])
    assert (await person.get("/api/auth/me"))["username"] == name
    await person.http.aclose()


async def test_pre_created_rooms(alice: Person) -> None:
    rooms = await alice.get("/api/rooms")
    assert [room["name"] for room in rooms[:3]] == ["General", "Random", "Tech Talk"]
    assert [room["id"] for room in rooms[:3]] == [1, 2, 3]


async def test_sample_data_is_created_only_once(tmp_path: Path) -> None:
    """A restart adds nothing and does not restore a changed password."""
    with ChatServer(tmp_path) as server:
        person = await sign_in(server, "user1", "password123")
        changed = {"current_password": "password123", "new_password": "another one"}
        assert (await person.http.post("/api/auth/password", json=changed)).status_code == 204
        await person.http.aclose()
        server.stop()
        server.start()
        async with httpx.AsyncClient(base_url=server.url) as http:
            old = await http.post("/api/auth/login", json={"username": "user1", "password": "password123"})
            assert old.status_code == 401
        person = await sign_in(server, "user1", "another one")
        assert len(await person.get("/api/rooms")) == 3
        await person.http.aclose()


@pytest.mark.parametrize("setting", [{"sample_data": False}, {"environment": "production"}], ids=str)
def test_sample_data_can_be_left_out(setting: dict[str, Any]) -> None:
    """test_production_deployment.py runs a server without sample data."""
    assert not Settings(_env_file=None, **setting).with_samples
