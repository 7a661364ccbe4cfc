"""Passwords: a strong hash, never the same twice, and nothing to learn from how long it takes."""

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


async def test_what_is_kept_is_argon2id_with_a_salt_of_its_own(passwords: Passwords) -> None:
    one, other = await passwords.hash("password123"), await passwords.hash("password123")
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != other
    assert "password123" not in one


async def test_nobody_s_password_is_never_right(passwords: Passwords) -> None:
    assert not await passwords.matches("the password of a user who does not exist", None)


@pytest.mark.parametrize("hashed", ["", "x", "$argon2id$broken", "$2b$12$" + "a" * 53])
async def test_a_hash_that_is_none_matches_nothing(passwords: Passwords, hashed: str) -> None:
    assert not await passwords.matches("password123", hashed)


async def test_a_name_that_does_not_exist_takes_as_long_as_a_wrong_password(passwords: Passwords) -> None:
    hashed = await passwords.hash("password123")

    async def seconds(against: str | None) -> float:
        start = time.perf_counter()
        await passwords.matches("wrong", against)
        return time.perf_counter() - start

    pairs = [(await seconds(hashed), await seconds(None)) for _ in range(15)]
    known, unknown = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert 0.5 < unknown / known < 2


async def test_the_loop_goes_on_while_many_sign_in(passwords: Passwords) -> None:
    """Twenty logins in the loop stalled every socket for seconds."""
    hashed = await passwords.hash("password123")
    logins = asyncio.gather(*(passwords.matches("password123", hashed) for _ in range(20)))
    ticks = 0
    while not logins.done():
        await asyncio.sleep(0.001)
        ticks += 1
    assert ticks > 20, "the loop had its turn many times"
    assert all(await logins)


@pytest.fixture
def hurried() -> Iterator[Passwords]:
    """Three may wait while others are being hashed."""
    made = Passwords(queue=3)
    yield made
    made.close()


async def test_whoever_finds_the_queue_full_is_told_at_once(hurried: Passwords) -> None:
    """Without an end to the queue everybody waits for those who gave up long ago."""
    outcomes = await asyncio.gather(*(hurried.hash("password123") for _ in range(20)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooBusy)]
    assert len(outcomes) - len(refused) == hurried.hashers + 3
    assert all(error.retry_after and error.status == 503 for error in refused)
    hashed = await hurried.hash("password123")
    assert await hurried.matches("password123", hashed), "there is room again"


async def test_who_gives_up_leaves_the_queue(hurried: Passwords) -> None:
    waiting = [asyncio.create_task(hurried.hash("password123")) for _ in range(hurried.hashers + 3)]
    await asyncio.sleep(0)  # they begin
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert all(await asyncio.gather(*(hurried.hash("password123") for _ in range(hurried.hashers + 3))))


async def test_a_full_queue_is_one_line_of_the_log_however_many_come(hurried: Passwords) -> None:
    with capture_logs() as lines:
        for _ in range(2):
            await asyncio.gather(*(hurried.hash("password123") for _ in range(20)), return_exceptions=True)
    assert [line["event"] for line in lines] == ["passwords.queue_full"] * 2


async def test_without_a_limit_all_wait(passwords: Passwords) -> None:
    assert all(await asyncio.gather(*(passwords.hash("password123") for _ in range(20))))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
async def test_whoever_signs_in_lets_those_who_talk_go_first(passwords: Passwords) -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert await asyncio.get_running_loop().run_in_executor(passwords._pool, priority) == 19
    assert priority() < 19
