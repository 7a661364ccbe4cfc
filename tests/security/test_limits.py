"""How often one may try, and how many places one gets."""

import asyncio
import itertools

import httpx
import websockets

from tests.support.people import Person, Seat, sign_in, sign_up
from tests.support.problems import check_problem
from tests.support.server import ChatServer

_names = itertools.count(1)


async def test_guessing_passwords_is_slow(limited: ChatServer) -> None:
    """Three tries at a name, then one every 20 seconds; the right password is no exception, another name is."""
    name = f"guessed {next(_names)}"
    async with httpx.AsyncClient(base_url=limited.url) as http:
        await http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
        for number in range(3):
            body = {"username": name, "password": f"wrong {number}"}
            assert check_problem(await http.post("/api/auth/login", json=body), 401) == "wrong_credentials"
        right = {"username": name, "password": "correct horse"}
        for spelling in (name, name.upper(), name.replace("e", "\u0435")):  # the last with a Cyrillic letter
            answer = await http.post("/api/auth/login", json=right | {"username": spelling})
            assert check_problem(answer, 429) == "too_fast"
            assert 1 <= int(answer.headers["Retry-After"]) <= 20
        assert check_problem(await http.post("/api/auth/token", data=right), 429) == "too_fast"
    await (await sign_up(limited, f"innocent {next(_names)}")).http.aclose()


async def test_guessing_the_current_password_is_slow_too(limited: ChatServer) -> None:
    """With a stolen token, that is."""
    person = await sign_up(limited, f"stolen {next(_names)}")
    change = {"current_password": "wrong horse", "new_password": "battery staple"}
    codes = [
        check_problem(await person.http.post("/api/auth/password", json=change), 403, 429) for _ in range(4)
    ]
    assert codes == ["wrong_password"] * 3 + ["too_fast"]
    await person.http.aclose()


async def opens(person: Person) -> Seat:
    return Seat(await websockets.connect(f"{person.server.ws}/ws?token={person.token}"))


async def test_sockets_of_one_user_and_of_one_address_are_counted(limited: ChatServer) -> None:
    """Two for each user, three for each address; and a place that is left is free."""
    user1, user2 = [await sign_in(limited, name, "password123") for name in ("user1", "user2")]
    first, second = await opens(user1), await opens(user1)
    for seat in (first, second):
        await seat.hears("ready")
    assert await (await opens(user1)).is_closed() == 4429
    third = await opens(user2)
    await third.hears("ready")
    assert await (await opens(user2)).is_closed() == 4429, "the address has no more"
    await first.does("ping")
    await first.hears("pong")
    await first.socket.close()
    async with asyncio.timeout(10):
        while (await (again := await opens(user2)).next())["type"] != "ready":
            pass
    for seat in (second, third, again):
        await seat.socket.close()
    for person in (user1, user2):
        await person.http.aclose()
