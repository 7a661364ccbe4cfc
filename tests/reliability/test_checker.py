"""Twenty seconds of the history checker: a server that is killed again and again loses no data."""

import asyncio
import random
from pathlib import Path

from tests.reliability.fork_server import ForkedServer, ForkServer
from tests.reliability.run import SETTINGS, Plan, execute
from tests.reliability.verdict import judge, proves_nothing

KILLS = 3


def test_a_server_that_is_killed_repeatedly_loses_nothing(tmp_path: Path) -> None:
    plan = Plan(seed=random.randrange(10**6), seconds=18.0, kill_every=3.0, clients=8, pause=0.02)
    with (
        ForkServer(tmp_path / "fork_server.log") as fork_server,
        ForkedServer(tmp_path, fork_server, **SETTINGS) as server,
    ):
        history = asyncio.run(execute(plan, server))
    assert judge(history) == [], f"{plan}; {history.counts}"
    assert proves_nothing(history, KILLS) == [], f"{plan}; {history.counts}"
