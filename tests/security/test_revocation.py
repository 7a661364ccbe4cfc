"""Revoking a login ends its access tokens, refresh tokens and open sockets at once, and no other login."""

import asyncio
import contextlib
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator

import pytest
from websockets import ConnectionClosed

from tests.support.people import Person, Seat, sign_in, sign_up
from tests.support.problems import check_problem
from tests.support.server import ChatServer

PASSWORD = "correct horse"
GENERAL = 1
_names = itertools.count(1)


@pytest.fixture
async def phone(server: ChatServer) -> AsyncIterator[Person]:
    """A login of Eve."""
    person = await sign_up(server, f"eve{next(_names)} {time.time_ns()}", PASSWORD)
    yield person
    await person.http.aclose()


@pytest.fixture
async def laptop(server: ChatServer, phone: Person) -> AsyncIterator[Person]:
    """Another login of Eve."""
    person = await sign_in(server, phone.username, PASSWORD)
    yield person
    await person.http.aclose()


AT_ONCE = 2.5
"""Seconds. Without the announcement, the server would notice only at its next reconciliation, every five seconds."""


async def assert_revoked(person: Person, seat: Seat, within: float = AT_ONCE) -> None:
    """Check that no part of this login works any more."""
    async with asyncio.timeout(within):
        assert await seat.is_closed() == 4401
    assert check_problem(await person.http.get("/api/auth/me"), 401) == "invalid_token"
    refresh = await person.http.post("/api/auth/refresh", json={"refresh_token": person.refresh_token})
    assert check_problem(refresh, 401) == "invalid_token"
    with pytest.raises(ConnectionClosed, match="4401"):
        async with person.enters(GENERAL):
            pass


async def assert_valid(person: Person, seat: Seat) -> None:
    """Check that all parts of this login still work."""
    await seat.does("ping")
    await seat.hears("pong")
    assert (await person.get("/api/auth/me"))["username"] == person.username
    answer = await person.http.post("/api/auth/refresh", json={"refresh_token": person.refresh_token})
    assert answer.status_code == 200


async def test_logout_ends_its_own_login_only(phone: Person, laptop: Person) -> None:
    async with phone.enters(GENERAL) as here, phone.connects() as too, laptop.enters(GENERAL) as there:
        assert (await phone.http.post("/api/auth/logout")).status_code == 204
        await assert_revoked(phone, here)
        await assert_revoked(phone, too)
        await assert_valid(laptop, there)


async def test_a_session_can_be_ended_from_another_one(phone: Person, laptop: Person) -> None:
    """For example that of a lost phone."""
    async with phone.enters(GENERAL) as here, laptop.enters(GENERAL) as there:
        sessions = await laptop.get("/api/auth/sessions")
        assert [session["current"] for session in sessions] == [True, False]
        lost = sessions[1]["id"]
        assert lost == here.ready["session_id"]
        assert (await laptop.http.delete(f"/api/auth/sessions/{lost}")).status_code == 204
        await assert_revoked(phone, here)
        await assert_valid(laptop, there)
        assert [session["id"] for session in await laptop.get("/api/auth/sessions")] == [sessions[0]["id"]]
        assert (
            check_problem(await laptop.http.delete(f"/api/auth/sessions/{lost}"), 404) == "session_not_found"
        )


async def test_changing_the_password_ends_the_other_logins(phone: Person, laptop: Person) -> None:
    change = {"current_password": PASSWORD, "new_password": "battery staple"}
    async with phone.enters(GENERAL) as here, laptop.enters(GENERAL) as there:
        assert (await laptop.http.post("/api/auth/password", json=change)).status_code == 204
        await assert_revoked(phone, here)
        await assert_valid(laptop, there)
    body = {"username": phone.username, "password": PASSWORD}
    assert check_problem(await phone.http.post("/api/auth/login", json=body), 401) == "wrong_credentials"
    await (await sign_in(phone.server, phone.username, "battery staple")).http.aclose()


async def test_a_refused_change_of_password_ends_no_login(phone: Person, laptop: Person) -> None:
    async with phone.enters(GENERAL) as here, laptop.enters(GENERAL) as there:
        for current, new, status in (("wrong horse", "battery staple", 403), (PASSWORD, "short", 422)):
            change = {"current_password": current, "new_password": new}
            check_problem(await laptop.http.post("/api/auth/password", json=change), status)
        await assert_valid(phone, here)
        await assert_valid(laptop, there)


async def test_a_user_cannot_end_the_session_of_another_user(phone: Person, alice: Person) -> None:
    """Nor find out whether it exists."""
    async with phone.enters(GENERAL) as here:
        theirs = await alice.http.delete(f"/api/auth/sessions/{here.ready['session_id']}")
        none = await alice.http.delete("/api/auth/sessions/xxxxxxxxxxxxxxxxxxxxxx")
        assert check_problem(theirs, 404) == check_problem(none, 404) == "session_not_found"
        assert theirs.text == none.text
        await assert_valid(phone, here)
    assert len(await alice.get("/api/auth/sessions")) == 1, "a user sees only their own sessions"


async def test_reusing_a_refresh_token_ends_its_login(phone: Person, laptop: Person) -> None:
    """Two clients hold the token, and the server cannot tell which of them stole it."""
    async with phone.enters(GENERAL) as here, laptop.enters(GENERAL) as there:
        spent = {"refresh_token": phone.refresh_token}
        fresh = (await phone.http.post("/api/auth/refresh", json=spent)).json()
        assert fresh["refresh_token"] != phone.refresh_token
        assert fresh["access_token"]
        await here.does("ping")
        await here.hears("pong")
        again = (await phone.http.post("/api/auth/refresh", json=spent)).json()
        assert again["refresh_token"] == fresh["refresh_token"], "the first answer may have been lost"
        used = {"refresh_token": fresh["refresh_token"]}
        last = (await phone.http.post("/api/auth/refresh", json=used)).json()
        assert check_problem(await phone.http.post("/api/auth/refresh", json=spent), 401) == "invalid_token"
        phone.refresh_token = last["refresh_token"]
        await assert_revoked(phone, here)
        answer = await phone.http.get(
            "/api/auth/me", headers={"Authorization": f"Bearer {fresh['access_token']}"}
        )
        assert check_problem(answer, 401) == "invalid_token"
        await assert_valid(laptop, there)


async def test_a_login_can_be_refreshed_again_and_again(phone: Person) -> None:
    for _ in range(5):
        answer = await phone.http.post("/api/auth/refresh", json={"refresh_token": phone.refresh_token})
        assert answer.status_code == 200
        phone.refresh_token = answer.json()["refresh_token"]
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert (await phone.http.get("/api/auth/me", headers=headers)).status_code == 200


async def test_tabs_that_refresh_at_once_all_stay_signed_in(phone: Person) -> None:
    body = {"refresh_token": phone.refresh_token}
    answers = await asyncio.gather(*(phone.http.post("/api/auth/refresh", json=body) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    (following,) = {answer.json()["refresh_token"] for answer in answers}
    for answer in answers:
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert (await phone.http.get("/api/auth/me", headers=headers)).status_code == 200
    again = await phone.http.post("/api/auth/refresh", json={"refresh_token": following})
    assert again.status_code == 200


async def test_a_socket_that_connects_while_its_login_ends_is_closed(phone: Person) -> None:
    """Some sockets are in the middle of their handshake at that moment."""
    seats: list[Seat] = []
    async with contextlib.AsyncExitStack() as stack:

        async def connect() -> None:
            with contextlib.suppress(ConnectionClosed):
                seats.append(await stack.enter_async_context(phone.enters(GENERAL)))

        async def log_out() -> None:
            await asyncio.sleep(0.02)
            assert (await phone.http.post("/api/auth/logout")).status_code == 204

        await asyncio.gather(*(connect() for _ in range(30)), log_out(), *(connect() for _ in range(10)))
        for seat in seats:
            assert await seat.is_closed() == 4401


async def test_a_deleted_user_is_logged_out_within_seconds(phone: Person, alice: Person) -> None:
    """No endpoint deletes users yet, so the test changes the database as another process would."""
    async with phone.enters(GENERAL) as here, alice.enters(GENERAL) as bystander:
        with sqlite3.connect(phone.server.folder / "chat.db") as database:
            database.execute("UPDATE users SET deleted_at = 1 WHERE username = ?", (phone.username,))
        database.close()
        async with asyncio.timeout(15):
            while (await phone.http.get("/api/auth/me")).status_code != 401:
                await asyncio.sleep(0.1)
        await assert_revoked(phone, here, within=10)
        await assert_valid(alice, bystander)
    body = {"username": phone.username, "password": PASSWORD}
    assert check_problem(await phone.http.post("/api/auth/login", json=body), 401) == "wrong_credentials"
