"""What ends a login ends all of it, at once: its tokens, its refresh tokens and its open sockets. And nothing else."""

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
    """Eve, on her phone."""
    person = await sign_up(server, f"eve{next(_names)} {time.time_ns()}", PASSWORD)
    yield person
    await person.http.aclose()


@pytest.fixture
async def laptop(server: ChatServer, phone: Person) -> AsyncIterator[Person]:
    """Eve again, with another login."""
    person = await sign_in(server, phone.username, PASSWORD)
    yield person
    await person.http.aclose()


AT_ONCE = 2.5
"""Seconds; a server that missed it would find out when it looks around, every five."""


async def is_out(person: Person, seat: Seat, within: float = AT_ONCE) -> None:
    """Nothing of this login works any more."""
    async with asyncio.timeout(within):
        assert await seat.is_closed() == 4401
    assert check_problem(await person.http.get("/api/auth/me"), 401) == "invalid_token"
    refresh = await person.http.post("/api/auth/refresh", json={"refresh_token": person.refresh_token})
    assert check_problem(refresh, 401) == "invalid_token"
    with pytest.raises(ConnectionClosed, match="4401"):
        async with person.enters(GENERAL):
            pass


async def is_in(person: Person, seat: Seat) -> None:
    """Everything of this login works as before."""
    await seat.does("ping")
    await seat.hears("pong")
    assert (await person.get("/api/auth/me"))["username"] == person.username
    answer = await person.http.post("/api/auth/refresh", json={"refresh_token": person.refresh_token})
    assert answer.status_code == 200


async def test_logout(phone: Person, laptop: Person) -> None:
    async with phone.enters(GENERAL) as here, phone.connects() as too, laptop.enters(GENERAL) as there:
        assert (await phone.http.post("/api/auth/logout")).status_code == 204
        await is_out(phone, here)
        await is_out(phone, too)
        await is_in(laptop, there)


async def test_ending_one_session_from_another(phone: Person, laptop: Person) -> None:
    """A lost phone."""
    async with phone.enters(GENERAL) as here, laptop.enters(GENERAL) as there:
        sessions = await laptop.get("/api/auth/sessions")
        assert [session["current"] for session in sessions] == [True, False]
        lost = sessions[1]["id"]
        assert lost == here.ready["session_id"]
        assert (await laptop.http.delete(f"/api/auth/sessions/{lost}")).status_code == 204
        await is_out(phone, here)
        await is_in(laptop, there)
        assert [session["id"] for session in await laptop.get("/api/auth/sessions")] == [sessions[0]["id"]]
        assert (
            check_problem(await laptop.http.delete(f"/api/auth/sessions/{lost}"), 404) == "session_not_found"
        )


async def test_a_changed_password(phone: Person, laptop: Person) -> None:
    change = {"current_password": PASSWORD, "new_password": "battery staple"}
    async with phone.enters(GENERAL) as here, laptop.enters(GENERAL) as there:
        assert (await laptop.http.post("/api/auth/password", json=change)).status_code == 204
        await is_out(phone, here)
        await is_in(laptop, there)
    body = {"username": phone.username, "password": PASSWORD}
    assert check_problem(await phone.http.post("/api/auth/login", json=body), 401) == "wrong_credentials"
    await (await sign_in(phone.server, phone.username, "battery staple")).http.aclose()


async def test_a_password_that_is_not_changed_ends_nothing(phone: Person, laptop: Person) -> None:
    async with phone.enters(GENERAL) as here, laptop.enters(GENERAL) as there:
        for current, new, status in (("wrong horse", "battery staple", 403), (PASSWORD, "short", 422)):
            change = {"current_password": current, "new_password": new}
            check_problem(await laptop.http.post("/api/auth/password", json=change), status)
        await is_in(phone, here)
        await is_in(laptop, there)


async def test_nobody_ends_the_session_of_another(phone: Person, alice: Person) -> None:
    """Nor learns whether there is one."""
    async with phone.enters(GENERAL) as here:
        theirs = await alice.http.delete(f"/api/auth/sessions/{here.ready['session_id']}")
        none = await alice.http.delete("/api/auth/sessions/xxxxxxxxxxxxxxxxxxxxxx")
        assert check_problem(theirs, 404) == check_problem(none, 404) == "session_not_found"
        assert theirs.text == none.text
        await is_in(phone, here)
    assert len(await alice.get("/api/auth/sessions")) == 1, "one's own are all that one sees"


async def test_a_used_refresh_token_ends_the_login_it_came_from(phone: Person, laptop: Person) -> None:
    """It is in two hands, and nobody can tell which is the thief's."""
    async with phone.enters(GENERAL) as here, laptop.enters(GENERAL) as there:
        spent = {"refresh_token": phone.refresh_token}
        fresh = (await phone.http.post("/api/auth/refresh", json=spent)).json()
        assert fresh["refresh_token"] != phone.refresh_token
        assert fresh["access_token"]
        await here.does("ping")
        await here.hears("pong")
        assert check_problem(await phone.http.post("/api/auth/refresh", json=spent), 401) == "invalid_token"
        phone.refresh_token = fresh["refresh_token"]
        await is_out(phone, here)
        answer = await phone.http.get(
            "/api/auth/me", headers={"Authorization": f"Bearer {fresh['access_token']}"}
        )
        assert check_problem(answer, 401) == "invalid_token"
        await is_in(laptop, there)


async def test_refreshing_for_ever_works(phone: Person) -> None:
    for _ in range(5):
        answer = await phone.http.post("/api/auth/refresh", json={"refresh_token": phone.refresh_token})
        assert answer.status_code == 200
        phone.refresh_token = answer.json()["refresh_token"]
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert (await phone.http.get("/api/auth/me", headers=headers)).status_code == 200


async def test_of_many_who_use_one_refresh_token_at_once_at_most_one_gets_another(phone: Person) -> None:
    body = {"refresh_token": phone.refresh_token}
    answers = await asyncio.gather(*(phone.http.post("/api/auth/refresh", json=body) for _ in range(10)))
    granted = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(granted) == 1
    again = await phone.http.post("/api/auth/refresh", json={"refresh_token": granted[0]["refresh_token"]})
    assert check_problem(again, 401) == "invalid_token", "and that one is worth nothing: it was used twice"


async def test_no_socket_slips_in_while_a_login_ends(phone: Person) -> None:
    """Some are in the middle of their handshake when it happens. None stays."""
    seats: list[Seat] = []
    async with contextlib.AsyncExitStack() as stack:

        async def come() -> None:
            with contextlib.suppress(ConnectionClosed):
                seats.append(await stack.enter_async_context(phone.enters(GENERAL)))

        async def end() -> None:
            await asyncio.sleep(0.02)
            assert (await phone.http.post("/api/auth/logout")).status_code == 204

        await asyncio.gather(*(come() for _ in range(30)), end(), *(come() for _ in range(10)))
        for seat in seats:
            assert await seat.is_closed() == 4401


async def test_a_user_who_is_deleted_is_out_in_a_few_seconds(phone: Person, alice: Person) -> None:
    """There is no way to ask for it yet, so it is done in the database, as another process would."""
    async with phone.enters(GENERAL) as here, alice.enters(GENERAL) as bystander:
        with sqlite3.connect(phone.server.folder / "chat.db") as database:
            database.execute("UPDATE users SET deleted_at = 1 WHERE username = ?", (phone.username,))
        database.close()
        async with asyncio.timeout(15):
            while (await phone.http.get("/api/auth/me")).status_code != 401:
                await asyncio.sleep(0.1)
        await is_out(phone, here, within=10)
        await is_in(alice, bystander)
    body = {"username": phone.username, "password": PASSWORD}
    assert check_problem(await phone.http.post("/api/auth/login", json=body), 401) == "wrong_credentials"
