"""Twenty seconds of the history checker: a server that is killed again and again loses nothing."""

import asyncio
import random
from pathlib import Path

from tests.reliability.nursery import Nursery, NurseryServer
from tests.reliability.run import SETTINGS, Plan, carry_out
from tests.reliability.verdict import judge, proves_nothing

KILLS = 3


def test_nothing_is_lost_though_the_server_is_killed_again_and_again(tmp_path: Path) -> None:
    plan = Plan(seed=random.randrange(10**6), seconds=18.0, kill_every=3.0, clients=8, pause=0.02)
    with (
        Nursery(tmp_path / "nursery.log") as nursery,
        NurseryServer(tmp_path, nursery, **SETTINGS) as server,
    ):
        history = asyncio.run(carry_out(plan, server))
    assert judge(history) == [], f"{plan}; {history.counts}"
    assert proves_nothing(history, KILLS) == [], f"{plan}; {history.counts}"
