"""The checker finds every planted fault within seconds."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.reliability.faults import FAULTS
from tests.reliability.fork_server import ForkedServer, ForkServer
from tests.reliability.run import SETTINGS, Plan, execute
from tests.reliability.verdict import judge

EXPECTED_VIOLATIONS = {
    "publish_before_commit": {"phantom", "order", "rolled back"},
    "ack_before_commit": {"lost", "duplicate", "rolled back"},
    "dropped_frame": {"gap"},
    "swapped_pair": {"order"},
    "duplicate_broadcast": {"order"},
    "double_insert": {"duplicate"},
    "lost_edit": {"change lost"},
    "hole_in_catch_up": {"replica"},
    "receipt_moves_back": {"receipt lost"},
    "stored_but_refused": {"refused"},
}
"""Each fault must break at least one of these laws."""
NEEDS_KILLS = {"publish_before_commit", "ack_before_commit"}


@pytest.fixture(scope="module")
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    with ForkServer(tmp_path_factory.mktemp("fork_server") / "log") as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS)
def test_the_checker_finds_a_planted_fault(fault: str, fork_server: ForkServer, tmp_path: Path) -> None:
    plan = Plan(
        1, seconds=8, kill_every=0, clients=4, rooms=2, pause=0.005, operations=200, settle_seconds=1.5
    )
    if fault in NEEDS_KILLS:
        plan = replace(plan, seconds=4, kill_every=0.4, operations=2000)
    with ForkedServer(tmp_path, fork_server, planted_fault=fault, **SETTINGS) as server:
        history = asyncio.run(execute(plan, server))
    broken = {violation.law for violation in judge(history)}
    assert broken & EXPECTED_VIOLATIONS[fault], f"{fault} broke only {broken}; {history.counts}"
