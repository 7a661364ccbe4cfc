"""A username that looks like an existing one is refused."""

import httpx
import pytest

from tests.support.problems import check_problem
from tests.support.server import ChatServer

LIKE_ADMIN = {
    "the name itself": "admin",
    "capitals": "Admin",
    "all capitals": "ADMIN",
    "a Cyrillic a": "\u0430dmin",
    "a Cyrillic i": "adm\u0456n",
    "full width": "\uff41\uff44\uff4d\uff49\uff4e",
    "full width capitals": "\uff21\uff24\uff2d\uff29\uff2e",
    "mathematical": "\U0001d41a\U0001d41d\U0001d426\U0001d422\U0001d427",
    "circled": "\u24d0dmin",
    "superscript": "admi\u207f",
}
"""Spellings that look like `admin`."""
NOT_LIKE_ADMIN = ["adm1nistrator", "admine", "\u00e1dmin of elsewhere", "admins"]


@pytest.mark.parametrize("name", LIKE_ADMIN.values(), ids=LIKE_ADMIN)
async def test_a_look_alike_of_a_username_is_refused(server: ChatServer, name: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
    if answer.status_code == 422:
        assert name in (LIKE_ADMIN["circled"], LIKE_ADMIN["mathematical"]), "these are symbols, not letters"
    else:
        assert check_problem(answer, 409) == "username_taken"


async def test_a_name_is_refused_after_its_look_alike_signed_up(server: ChatServer) -> None:
    """The look-alike signs up first; its first two letters are Cyrillic."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        for name, status in (("\u0440\u0430ul", 201), ("paul", 409), ("Paul", 409)):
            answer = await http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
            assert answer.status_code == status, name


@pytest.mark.parametrize("name", NOT_LIKE_ADMIN)
async def test_a_name_that_differs_visibly_is_accepted(server: ChatServer, name: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
    assert answer.status_code == 201


async def test_login_ignores_case_and_the_username_keeps_its_spelling(server: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/auth/login", json={"username": "ADMIN", "password": "admin123"})
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert (await http.get("/api/auth/me", headers=headers)).json()["username"] == "admin"
