"""The duration of a refused login does not reveal whether the user exists."""

import statistics
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.support.server import DEADLINE, ChatServer

TRIES = 15
FACTOR = 2.5
"""Generous: a password hash takes some 20 ms, and without it the difference would be all of that."""

Attempt = Callable[[httpx.Client, str, int], httpx.Response]


def login(http: httpx.Client, name: str, number: int) -> httpx.Response:
    return http.post("/api/auth/login", json={"username": name, "password": f"wrong {number}"})


def form(http: httpx.Client, name: str, number: int) -> httpx.Response:
    return http.post("/api/auth/token", data={"username": name, "password": f"wrong {number}"})


@pytest.fixture
def http(server: ChatServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=DEADLINE) as client:
        yield client


@pytest.mark.parametrize("attempt", [login, form])
def test_a_wrong_name_takes_as_long_as_a_wrong_password(http: httpx.Client, attempt: Attempt) -> None:
    durations: dict[str, list[float]] = {"user1": [], "no such user": []}
    answers = set()
    for number in range(TRIES):
        for name, times in durations.items():  # alternating, so that load on the machine affects both
            start = time.perf_counter()
            answer = attempt(http, name, number)
            times.append(time.perf_counter() - start)
            answers.add((answer.status_code, answer.text))
    assert len(answers) == 1, "the answers are the same"
    existing, missing = (statistics.median(times) for times in durations.values())
    assert 1 / FACTOR < existing / missing < FACTOR
