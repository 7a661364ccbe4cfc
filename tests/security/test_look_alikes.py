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
    "rn for m": "adrnin",
    "a dot on the i": "admi\u0307n",
    "a full stop": "admin.",
}
"""Spellings that look like `admin`."""
REFUSED = {
    "a symbol, not a letter": LIKE_ADMIN["circled"],
    "mixed with Latin": LIKE_ADMIN["a Cyrillic a"],
    "mixed with Latin too": LIKE_ADMIN["a Cyrillic i"],
    "punctuation at the end": LIKE_ADMIN["a full stop"],
}
"""Those that nobody may have, whether there is an `admin` or not."""
NOT_LIKE_ADMIN = ["adm1nistrator", "admine", "\u00e1dmin of elsewhere", "admins"]
SAME_LETTERS = [("alice the first", "aIice the first"), ("Ian the first", "lan the first"), ("r0b", "Rob")]


@pytest.mark.parametrize("name", LIKE_ADMIN.values(), ids=LIKE_ADMIN)
async def test_a_look_alike_of_a_username_is_refused(server: ChatServer, name: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
    if answer.status_code == 422:
        assert name in REFUSED.values()
    else:
        assert check_problem(answer, 409) == "username_taken"


async def test_a_name_is_refused_after_its_look_alike_signed_up(server: ChatServer) -> None:
    """The look-alike signs up first; all its letters are Cyrillic."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        for name, status in (("\u0455\u0441\u043e\u0440\u0435", 201), ("scope", 409), ("Scope", 409)):
            answer = await http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
            assert answer.status_code == status, name


@pytest.mark.parametrize("name, like_it", SAME_LETTERS)
async def test_letters_that_look_the_same_as_shown_count_as_the_same(
    server: ChatServer, name: str, like_it: str
) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        for wanted, status in ((name, 201), (like_it, 409)):
            answer = await http.post(
                "/api/auth/signup", json={"username": wanted, "password": "correct horse"}
            )
            assert answer.status_code == status, wanted


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
