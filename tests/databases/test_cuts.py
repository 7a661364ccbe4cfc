"""A connection to the database is reset before and after every packet of every kind of work.

After COMMIT nothing may fail, and before it nothing may be final: each work is stored once or not at all, its caller is
told which, and the pool loses no connection.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest

from app.core.database import Deadlines
from tests.databases.proxied_site import WORKS, ProxiedSite, open_site
from tests.support.cutting_proxy import CuttingProxy

MAX_PACKETS = 60


@pytest.fixture
async def site(proxied: tuple[str, CuttingProxy]) -> AsyncIterator[ProxiedSite]:
    async with open_site(proxied, Deadlines()) as made:
        yield made


@pytest.mark.parametrize("delivered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
async def test_a_reset_at_any_packet_leaves_one_outcome_and_a_whole_pool(
    site: ProxiedSite, work: Callable[[ProxiedSite], Awaitable[None]], delivered: bool
) -> None:
    cuts = 0
    for packet in range(1, MAX_PACKETS):
        site.fault = partial(site.proxy.cut, packet, delivered=delivered)
        await work(site)
        if not site.proxy.has_cut:
            break
        cuts += 1
    assert cuts > 3, "the work was cut in the middle"
    assert cuts < MAX_PACKETS - 1, "and at every packet"
