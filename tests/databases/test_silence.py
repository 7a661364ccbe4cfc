"""The network between the server and its database is silent: nothing arrives, and nothing is refused.

Every work is answered within its deadline and told the truth, and what broke heals by itself.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from app.core.database import DatabaseUnavailable, Unknown
from app.services import rooms
from tests.databases.fault_deadlines import DEADLINES, GRACE_SECONDS, HEALED_SECONDS, IS_LONG
from tests.databases.people import say
from tests.databases.proxied_site import WORKS, ProxiedSite, edits, open_site, reads, refreshes, sends
from tests.support.cutting_proxy import CuttingProxy

Work = Callable[[ProxiedSite], Awaitable[None]]
ANSWERED_SECONDS = DEADLINES.answer + GRACE_SECONDS


@pytest.fixture
async def site(proxied: tuple[str, CuttingProxy]) -> AsyncIterator[ProxiedSite]:
    async with open_site(proxied, DEADLINES, HEALED_SECONDS) as made:
        yield made


async def packets_of(site: ProxiedSite, work: Work) -> list[int]:
    """The packets to break: all of them, or those where a transaction begins and ends."""
    counts: list[int] = []

    @contextmanager
    def counted() -> Iterator[None]:
        before = site.proxy.packets
        yield
        counts.append(site.proxy.packets - before)

    site.fault = counted
    await work(site)  # opens connections
    await work(site)
    count = counts[-1]
    return list(range(1, count + 1)) if IS_LONG else [count // 2, count - 1]


@pytest.mark.parametrize(
    "work", WORKS if IS_LONG else [sends, edits, refreshes, reads], ids=lambda work: work.__name__
)
async def test_a_network_silent_from_any_packet_on_leaves_one_outcome_and_heals(
    site: ProxiedSite, work: Work
) -> None:
    occurred = 0
    for packet in await packets_of(site, work):
        site.fault = partial(site.proxy.swallow, packet)
        await work(site)
        occurred += site.proxy.has_cut
        assert max(site.answered) < ANSWERED_SECONDS
    assert occurred > 0, "the work was broken in the middle"


async def test_an_answer_comes_in_time_from_a_silent_network(site: ProxiedSite) -> None:
    with site.proxy.swallow(1):
        began = time.monotonic()
        outcomes = await asyncio.gather(
            say(site.ledger, site.member, "a"),
            *(site.database.read(rooms.heads, [site.member.room_id]) for _ in range(20)),
            return_exceptions=True,
        )
        assert time.monotonic() - began < DEADLINES.answer + GRACE_SECONDS
    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}
    await site.healed()


async def test_connections_that_a_firewall_forgot_delay_no_second_command(site: ProxiedSite) -> None:
    """The first one finds out, for all connections of its pool."""
    await asyncio.gather(*(site.database.read(rooms.heads, [1]) for _ in range(8)))
    site.proxy.forget()
    for work in (
        lambda: say(site.ledger, site.member, "hi"),
        lambda: site.database.read(rooms.heads, [1]),
    ):
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await work()
        assert time.monotonic() - began < DEADLINES.answer + GRACE_SECONDS
        await work()
    await site.healed()


async def test_a_commit_answered_too_late_is_unknown_and_published_once_it_is_known(
    site: ProxiedSite,
) -> None:
    packets = await packets_of(site, sends)
    published = len(site.published)
    with site.proxy.delay(packets[-1], DEADLINES.run + 0.3), pytest.raises(Unknown):
        await say(site.ledger, site.member, "late")
    assert len(site.published) == published
    await site.healed()
