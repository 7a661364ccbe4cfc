"""Passwords: a strong hash with a salt of its own, and a duration that tells nothing."""

import asyncio
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from app.core.security.passwords import Passwords, TooBusy


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


@pytest.mark.parametrize(
    "password", ["password123", "日本語のパスワード", "a" * 256, "with \U0001f510", " spaces "]
)
async def test_the_right_password_matches_and_another_does_not(passwords: Passwords, password: str) -> None:
    hashed = await passwords.hash(password)
    assert await passwords.matches(password, hashed)
    assert not await passwords.matches(password + "x", hashed)
    assert not await passwords.matches(password[:-1], hashed)


async def test_a_hash_is_argon2id_with_a_salt_of_its_own(passwords: Passwords) -> None:
    one, other = await passwords.hash("password123"), await passwords.hash("password123")
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != other
    assert "password123" not in one


async def test_a_password_without_a_user_never_matches(passwords: Passwords) -> None:
    assert not await passwords.matches("the password of a user who does not exist", None)


@pytest.mark.parametrize("hashed", ["", "x", "$argon2id$broken", "$2b$12$" + "a" * 53])
async def test_an_invalid_hash_matches_nothing(passwords: Passwords, hashed: str) -> None:
    assert not await passwords.matches("password123", hashed)


async def test_an_unknown_name_takes_as_long_as_a_wrong_password(passwords: Passwords) -> None:
    hashed = await passwords.hash("password123")

    async def seconds(against: str | None) -> float:
        start = time.perf_counter()
        await passwords.matches("wrong", against)
        return time.perf_counter() - start

    pairs = [(await seconds(hashed), await seconds(None)) for _ in range(15)]
    known, unknown = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert 0.5 < unknown / known < 2


async def test_the_event_loop_runs_on_while_many_clients_sign_in(passwords: Passwords) -> None:
    """Twenty logins in the event loop stalled every socket for seconds."""
    hashed = await passwords.hash("password123")
    logins = asyncio.gather(*(passwords.matches("password123", hashed) for _ in range(20)))
    ticks = 0
    while not logins.done():
        await asyncio.sleep(0.001)
        ticks += 1
    assert ticks > 20, "the loop had many iterations meanwhile"
    assert all(await logins)


@pytest.fixture
def short_queue() -> Iterator[Passwords]:
    """At most three passwords wait while others are being hashed."""
    made = Passwords(queue=3)
    yield made
    made.close()


async def test_a_client_that_finds_the_queue_full_is_refused_at_once(short_queue: Passwords) -> None:
    """In a queue without a limit clients wait for others that gave up long ago."""
    outcomes = await asyncio.gather(
        *(short_queue.hash("password123") for _ in range(20)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooBusy)]
    assert len(outcomes) - len(refused) == short_queue.hashers + 3
    assert all(error.retry_after and error.status == 503 for error in refused)
    hashed = await short_queue.hash("password123")
    assert await short_queue.matches("password123", hashed), "the queue has room again"


async def test_a_cancelled_request_leaves_the_queue(short_queue: Passwords) -> None:
    waiting = [asyncio.create_task(short_queue.hash("password123")) for _ in range(short_queue.hashers + 3)]
    await asyncio.sleep(0)  # the tasks start
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert all(
        await asyncio.gather(*(short_queue.hash("password123") for _ in range(short_queue.hashers + 3)))
    )


async def test_a_full_queue_is_logged_once_however_many_clients_come(short_queue: Passwords) -> None:
    with capture_logs() as lines:
        for _ in range(2):
            await asyncio.gather(
                *(short_queue.hash("password123") for _ in range(20)), return_exceptions=True
            )
    assert [line["event"] for line in lines] == ["passwords.queue_full"] * 2


async def test_without_a_limit_every_request_waits(passwords: Passwords) -> None:
    assert all(await asyncio.gather(*(passwords.hash("password123") for _ in range(20))))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
async def test_hashing_threads_have_the_lowest_priority(passwords: Passwords) -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert await asyncio.get_running_loop().run_in_executor(passwords._pool, priority) == 19
    assert priority() < 19
