"""Limits on logins, sign-ups and sockets."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import websockets

from app.core.config import Settings
from tests.support.people import Person, Seat, sign_in, sign_up
from tests.support.problems import check_problem
from tests.support.rawclient import CLOSE, TEXT, raw_client
from tests.support.server import DEADLINE, ChatServer

_names = itertools.count(1)


async def test_guessing_passwords_is_limited(limited: ChatServer) -> None:
    """Three attempts per name, then one every 20 seconds, even with the right password. Other names are unaffected."""
    name = f"guessed {next(_names)}"
    async with httpx.AsyncClient(base_url=limited.url) as http:
        await http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
        for number in range(3):
            body = {"username": name, "password": f"wrong {number}"}
            assert check_problem(await http.post("/api/auth/login", json=body), 401) == "wrong_credentials"
        right = {"username": name, "password": "correct horse"}
        for spelling in (name, name.upper(), name.replace("g", "\uff47")):  # the last with a wide letter
            answer = await http.post("/api/auth/login", json=right | {"username": spelling})
            assert check_problem(answer, 429) == "too_fast"
            assert 1 <= int(answer.headers["Retry-After"]) <= 20
        assert check_problem(await http.post("/api/auth/token", data=right), 429) == "too_fast"
    await (await sign_up(limited, f"innocent {next(_names)}")).http.aclose()


async def test_guessing_the_current_password_is_limited(limited: ChatServer) -> None:
    """For example with a stolen token."""
    person = await sign_up(limited, f"stolen {next(_names)}")
    change = {"current_password": "wrong horse", "new_password": "battery staple"}
    codes = [
        check_problem(await person.http.post("/api/auth/password", json=change), 403, 429) for _ in range(4)
    ]
    assert codes == ["wrong_password"] * 3 + ["too_fast"]
    await person.http.aclose()


PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A server that allows three sign-ups and four login attempts from one address."""
    limits = {"signups_per_address": 3, "logins_per_address": 4}
    with ChatServer(tmp_path_factory.mktemp("strict"), (), **limits) as running:
        yield running


def client_at(server: ChatServer, address: str) -> httpx.AsyncClient:
    """A client at this address, behind a proxy on this machine."""
    return httpx.AsyncClient(base_url=server.url, headers={"X-Forwarded-For": address}, timeout=DEADLINE)


async def signs_up(http: httpx.AsyncClient, name: str | None = None) -> httpx.Response:
    body = {"username": name or f"stranger {next(_names)}", "password": PASSWORD}
    return await http.post("/api/auth/signup", json=body)


@pytest.mark.parametrize(
    "address, neighbour, stranger",
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("2001:db8:0:1::1", "2001:db8:0:1:a:b:c:d", "2001:db8:0:2::1"),
        ("::ffff:192.0.2.9", "192.0.2.9", "::ffff:192.0.2.10"),
    ],
)
async def test_sign_ups_from_one_address_are_limited(
    strict: ChatServer, address: str, neighbour: str, stranger: str
) -> None:
    """The 2^64 IPv6 addresses of one network count as one address."""
    async with client_at(strict, address) as http:
        for _ in range(3):
            assert (await signs_up(http)).status_code == 201
    async with client_at(strict, neighbour) as http:
        answer = await signs_up(http)
        assert check_problem(answer, 429) == "too_fast"
        assert 1 <= int(answer.headers["Retry-After"]) <= 20
    async with client_at(strict, stranger) as http:
        assert (await signs_up(http)).status_code == 201


async def test_guesses_from_many_addresses_are_delayed_and_the_owner_is_not(limited: ChatServer) -> None:
    """The owner is signed in from an address that is exempt, also for a further login."""
    name = f"wanted {next(_names)}"
    body = {"username": name, "password": PASSWORD}
    async with client_at(limited, "198.51.100.77") as owner:
        assert (await signs_up(owner, name)).status_code == 201
        assert (await owner.post("/api/auth/login", json=body)).status_code == 200
        delay, statuses = 0, set[int]()
        async with asyncio.timeout(DEADLINE):
            for number in itertools.count():
                if delay >= 16:
                    break
                async with client_at(limited, f"203.0.{number >> 8}.{number & 255}") as guesser:
                    answer = await guesser.post("/api/auth/login", json=body | {"password": "wrong horse"})
                    statuses.add(answer.status_code)
                    delay = int(answer.headers.get("Retry-After", 0))
                await asyncio.sleep(min(delay, 0.5))
        assert statuses == {401, 429}
        async with client_at(limited, "198.51.100.78") as stranger:
            assert (await stranger.post("/api/auth/login", json=body)).status_code == 429, (
                "with the right one"
            )
        assert (await owner.post("/api/auth/login", json=body)).status_code == 200


async def test_an_attempt_to_take_an_existing_name_counts_as_a_sign_up(strict: ChatServer) -> None:
    """It costs the same hash, and reveals which names exist."""
    async with client_at(strict, "198.51.100.1") as http:
        for _ in range(3):
            assert check_problem(await signs_up(http, "user1"), 409) == "username_taken"
        assert check_problem(await signs_up(http), 429) == "too_fast"


async def test_trying_one_password_with_many_names_is_limited(strict: ChatServer) -> None:
    async with client_at(strict, "198.51.100.2") as http:
        for number in range(4):
            body = {"username": f"perhaps {number}", "password": "password123"}
            assert check_problem(await http.post("/api/auth/login", json=body), 401) == "wrong_credentials"
        right = {"username": "user1", "password": "password123"}
        assert check_problem(await http.post("/api/auth/login", json=right), 429) == "too_fast"
        assert check_problem(await http.post("/api/auth/token", data=right), 429) == "too_fast"
        answer = await http.post("/api/auth/refresh", json={"refresh_token": "perhaps"})
        assert check_problem(answer, 429) == "too_fast"
    async with client_at(strict, "198.51.100.3") as http:
        assert (await http.post("/api/auth/login", json=right)).status_code == 200


async def test_guessing_refresh_tokens_is_limited(strict: ChatServer) -> None:
    async with client_at(strict, "198.51.100.4") as http:
        answers = [
            await http.post("/api/auth/refresh", json={"refresh_token": f"perhaps {number}"})
            for number in range(5)
        ]
    assert [answer.status_code for answer in answers] == [401] * 4 + [429]


async def sign_up_together(server: ChatServer, count: int) -> Counter[int]:
    """The statuses of `count` concurrent sign-ups from this machine."""
    async with httpx.AsyncClient(base_url=server.url, timeout=DEADLINE) as http:
        answers = await asyncio.gather(*(signs_up(http) for _ in range(count)))
    for answer in answers:
        if answer.status_code != 201:
            assert check_problem(answer, 503) == "too_busy"
            assert int(answer.headers["Retry-After"]) == 5
    return Counter(answer.status_code for answer in answers)


async def test_a_script_may_create_fifty_accounts_at_once(tmp_path: Path) -> None:
    """With the default limits."""
    fields = Settings.model_fields
    limits = {name: fields[name].default for name in ("signups_per_address", "logins_per_address")}
    with ChatServer(tmp_path, (), **limits) as server:
        assert await sign_up_together(server, 50) == {201: 50}


async def test_passwords_beyond_the_hashing_queue_are_refused_at_once(tmp_path: Path) -> None:
    with ChatServer(tmp_path, (), password_queue=1) as server:
        statuses = await sign_up_together(server, 50)
        assert statuses.keys() == {201, 503}
        assert await sign_up_together(server, 1) == {201: 1}
        log = server.log.read_text()
    assert 1 <= log.count("passwords.queue_full") <= statuses[503]
    assert "request.failed" not in log


async def open_socket(person: Person) -> Seat:
    return Seat(await websockets.connect(f"{person.server.ws}/ws?token={person.token}"))


async def test_sockets_of_one_user_and_of_one_address_are_limited(limited: ChatServer) -> None:
    """Two for each user, three for each address. A closed socket makes room for another."""
    user1, user2 = [await sign_in(limited, name, "password123") for name in ("user1", "user2")]
    first, second = await open_socket(user1), await open_socket(user1)
    for seat in (first, second):
        await seat.hears("ready")
    assert await (await open_socket(user1)).is_closed() == 4429
    third = await open_socket(user2)
    await third.hears("ready")
    assert await (await open_socket(user2)).is_closed() == 4429, "the limit of the address"
    await first.does("ping")
    await first.hears("pong")
    await first.socket.close()
    async with asyncio.timeout(10):
        while (await (again := await open_socket(user2)).next())["type"] != "ready":
            pass
    for seat in (second, third, again):
        await seat.socket.close()
    for person in (user1, user2):
        await person.http.aclose()


@pytest.mark.parametrize(
    "neighbours", [[f"2001:db8:0:1::{n}" for n in range(4)], ["::ffff:192.0.2.1", "192.0.2.1"] * 2]
)
async def test_sockets_of_one_ipv6_network_are_counted_together(
    limited: ChatServer, neighbours: list[str]
) -> None:
    """The 2^64 addresses of an IPv6 network share three sockets."""
    people = [await sign_up(limited, f"neighbour {next(_names)}") for _ in range(2)]
    tokens = [person.token for person in people for _ in range(2)]  # two sockets for each user
    async with AsyncExitStack() as stack:
        first = []
        for token, address in [*zip(tokens, neighbours, strict=True), (tokens[3], "2001:db8:0:2::1")]:
            headers = f"X-Forwarded-For: {address}\r\n"
            client = raw_client(limited, f"/ws?token={token}", headers)
            first.append(await (await stack.enter_async_context(client)).next_frame())
    assert [opcode for opcode, _ in first] == [TEXT, TEXT, TEXT, CLOSE, TEXT]
    assert first[3][1][:2] == (4429).to_bytes(2, "big")
    for person in people:
        await person.http.aclose()
