"""New passwords are checked wherever one is set."""

import itertools
import time

import httpx
import pytest

from tests.support.people import Person
from tests.support.problems import check_problem
from tests.support.server import ChatServer

_names = itertools.count(1)


@pytest.mark.parametrize(
    "password, code", [("12345678", "common_password"), ("Newcomer 1999", "password_from_name")]
)
async def test_a_sign_up_with_a_guessable_password_is_refused(
    server: ChatServer, password: str, code: str
) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/auth/signup", json={"username": "newcomer", "password": password})
        assert check_problem(answer, 422) == code
        assert password not in answer.text


@pytest.mark.parametrize(
    "password, code",
    [("correct horse", "same_password"), ("qwertyuiop", "common_password"), (None, "password_from_name")],
)
async def test_a_new_password_that_is_guessable_or_the_old_one_is_refused(
    alice: Person, password: str | None, code: str
) -> None:
    change = {
        "current_password": "correct horse",
        "new_password": password or f"{alice.username}{alice.username}",
    }
    assert check_problem(await alice.http.post("/api/auth/password", json=change), 422) == code
    assert (await alice.get("/api/auth/me"))["username"] == alice.username


async def test_the_documented_password_is_accepted_in_development_only(
    server: ChatServer, production: ChatServer
) -> None:
    body = {"username": f"documented {next(_names)} {time.time_ns()}", "password": "password123"}
    async with httpx.AsyncClient() as http:
        assert (await http.post(f"{server.url}/api/auth/signup", json=body)).status_code == 201
        answer = await http.post(f"{production.url}/api/auth/signup", json=body)
    assert check_problem(answer, 422) == "common_password"
