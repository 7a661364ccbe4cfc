"""A socket is closed when its token expires, unless `auth` replaces the token."""

import asyncio
import time

import pytest

from app.core.security.tokens import LEEWAY_SECONDS
from tests.security import forge
from tests.support.people import Person, sign_in
from tests.support.problems import check_problem

GENERAL = 1


def expiring_in(token: str, seconds: float) -> str:
    """The same token, accepted for so long: its expiry is a minute earlier, which clocks may differ by."""
    return forge.sign(forge.claims_of(token) | {"exp": int(time.time() + seconds) - LEEWAY_SECONDS})


def end_of(token: str) -> int:
    """Until when the token is accepted."""
    return int(forge.claims_of(token)["exp"]) + LEEWAY_SECONDS


async def test_a_socket_is_closed_when_its_token_expires_unless_it_is_renewed(mallory: Person) -> None:
    long = mallory.token
    mallory.token = expiring_in(long, 3)
    async with (
        mallory.enters(GENERAL) as expiring,
        mallory.connects() as renewed,
        mallory.connects() as renewed_twice,
    ):
        await renewed.does("auth", token=long, ref=1)
        assert (await renewed.hears("ack"))["expires_at"] > renewed.ready["expires_at"]
        await renewed_twice.does("auth", token=expiring_in(long, 4), ref=1)
        await renewed_twice.hears("ack", ref=1)
        assert await expiring.is_closed() == 4401
        assert time.time() >= end_of(mallory.token), "not before"
        answer = await mallory.http.get("/api/auth/me", headers={"Authorization": f"Bearer {mallory.token}"})
        assert check_problem(answer, 401) == "invalid_token"
        await renewed_twice.does("auth", token=long, ref=2)
        await renewed_twice.hears("ack", ref=2)
        await asyncio.sleep(max(0, end_of(mallory.token) + 2.5 - time.time()))
        for seat in (renewed, renewed_twice):
            await seat.does("ping")
            await seat.hears("pong")


async def test_a_socket_is_closed_when_a_renewed_token_expires(mallory: Person) -> None:
    """The new token counts, even if it expires before the old one."""
    async with mallory.connects() as seat:
        await seat.does("auth", token=expiring_in(mallory.token, 2), ref=1)
        await seat.hears("ack", ref=1)
        assert await seat.is_closed() == 4401


@pytest.mark.parametrize(
    "name", ["another key", "alg none", "expired", "exp in 10^30 seconds", "another session"]
)
async def test_auth_with_a_forged_token_changes_nothing(mallory: Person, name: str) -> None:
    forged = (forge.WITHOUT_THE_KEY | forge.WITH_THE_KEY)[name](mallory.token, forge.claims_of(mallory.token))
    async with mallory.connects() as seat:
        await seat.does("auth", token=forged, ref=1)
        assert (await seat.hears("error", ref=1))["code"] == "invalid_token"
        await seat.does("ping")
        await seat.hears("pong")


async def test_auth_with_another_login_changes_nothing(mallory: Person) -> None:
    for name in ("user1", "user2"):
        other = await sign_in(mallory.server, name, "password123")
        async with mallory.connects() as seat:
            await seat.does("auth", token=other.token, ref=1)
            assert (await seat.hears("error", ref=1))["code"] == "other_session"
        await other.http.aclose()
