"""The checker sees every fault that it is there to see: it is red for each of them within seconds."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.reliability.faults import FAULTS
from tests.reliability.nursery import Nursery, NurseryServer
from tests.reliability.run import SETTINGS, Plan, carry_out
from tests.reliability.verdict import judge

SEEN_AS = {
    "publish_before_commit": {"phantom", "order", "taken back"},
    "ack_before_commit": {"lost", "twice", "taken back"},
    "dropped_frame": {"gap"},
    "swapped_pair": {"order"},
    "duplicate_broadcast": {"order"},
    "double_insert": {"twice"},
    "lost_edit": {"change lost"},
    "hole_in_catch_up": {"replica"},
    "mark_goes_back": {"mark lost"},
}
"""The laws of which each fault has to break at least one."""
NEEDS_KILLS = {"publish_before_commit", "ack_before_commit"}


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery") / "log") as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS)
def test_the_checker_is_red_for(fault: str, nursery: Nursery, tmp_path: Path) -> None:
    plan = Plan(1, seconds=8, kill_every=0, clients=4, rooms=2, pause=0.005, operations=200, patience=1.5)
    if fault in NEEDS_KILLS:
        plan = replace(plan, seconds=4, kill_every=0.4, operations=2000)
    with NurseryServer(tmp_path, nursery, planted_fault=fault, **SETTINGS) as server:
        history = asyncio.run(carry_out(plan, server))
    broken = {violation.law for violation in judge(history)}
    assert broken & SEEN_AS[fault], f"{fault} broke only {broken}; {history.counts}"
