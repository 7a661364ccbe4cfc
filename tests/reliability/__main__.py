"""Kill and restart the server for as long as one likes, and check that nothing is lost."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.reliability.history import History
from tests.reliability.laws import Violation
from tests.reliability.nursery import Nursery, NurseryServer
from tests.reliability.run import SETTINGS, Plan, carry_out
from tests.reliability.verdict import judge, proves_nothing
from tests.support.server import ChatServer

ROUND = 60.0
"""Seconds after which a verdict is given, and new clients begin in new rooms of the same database."""
TOLD = ("stored", "duplicate", "resent", "changed", "replayed", "truncated", "stalled", "closed with 4408")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if all is well, 1 if something is wrong, 2 if the run proves nothing."""
    wanted = _parse(arguments)
    folder = Path(tempfile.mkdtemp(prefix="reliability-"))
    total: Counter[str] = Counter()
    end = time.monotonic() + wanted.minutes * 60
    with ExitStack() as stack:
        server = stack.enter_context(_server(stack, folder, fork=wanted.fork))
        seed = wanted.seed
        while (left := end - time.monotonic()) > 0:
            plan = Plan(seed, min(ROUND, left), wanted.kill_every, wanted.clients, wanted.rooms, wanted.pause)
            history = asyncio.run(carry_out(plan, server))
            violations = judge(history)
            total += _figures(history)
            _tell(seed, history, violations)
            if violations:
                print(f"The database and the log of the server are in {folder}")
                return 1
            if reasons := proves_nothing(history, kills=1 if wanted.kill_every < left else 0):
                print("This proves nothing:", "; ".join(reasons))
                return 2
            seed += 1
    print("Nothing is lost:", ", ".join(f"{count} {name}" for name, count in total.items()))
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (%(default)s)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="of the first round (random)"
    )
    parser.add_argument("--clients", type=int, default=10, help="two for each user (%(default)s)")
    parser.add_argument("--rooms", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--kill-every", type=float, default=10, help="seconds, on average (%(default)s)")
    parser.add_argument("--pause", type=float, default=0.03, help="seconds between what a client does")
    parser.add_argument("--fork", action="store_true", help="fork servers that are warm already: more kills")
    return parser.parse_args(arguments)


def _server(stack: ExitStack, folder: Path, *, fork: bool) -> ChatServer:
    if fork:
        return NurseryServer(folder, stack.enter_context(Nursery(folder / "nursery.log")), **SETTINGS)
    return ChatServer(folder, (), **SETTINGS)


def _figures(history: History) -> Counter[str]:
    hits = sum(1 for waiting in history.kills if waiting)
    counted = Counter({name: history.counts[name] for name in TOLD})
    return Counter({"operations": len(history.operations), "kills in the midst of them": hits}) + counted


def _tell(seed: int, history: History, violations: Sequence[Violation]) -> None:
    figures = ", ".join(f"{count} {name}" for name, count in _figures(history).items())
    print(f"seed {seed}: {figures}; {len(violations)} violations", flush=True)
    for law, text in violations[:20]:
        print(f"  {law}: {text[:600]}")


if __name__ == "__main__":
    sys.exit(main())
