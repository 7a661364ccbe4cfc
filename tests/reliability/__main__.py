"""Kill and restart the server for a given time, and check that nothing is lost."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.reliability.database_faults import FaultyDatabase, FaultyMariaDb, FaultyPostgres, FaultySqlite
from tests.reliability.fork_server import ForkedServer, ForkServer
from tests.reliability.history import History
from tests.reliability.laws import Violation
from tests.reliability.run import SETTINGS, Plan, execute
from tests.reliability.verdict import judge, proves_nothing
from tests.support.server import ChatServer

ROUND_SECONDS = 60.0
"""After each round there is a verdict, and new clients start in new rooms of the same database."""
REPORTED = (
    "stored",
    "duplicate",
    "resent",
    "changed",
    "replayed",
    "truncated",
    "stalled",
    "unavailable",
    "closed with 4408",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 if nothing is lost, 1 if a law is broken, 2 if the run proves nothing."""
    options = _parse(arguments)
    folder = Path(tempfile.mkdtemp(prefix="reliability-"))
    total: Counter[str] = Counter()
    end = time.monotonic() + options.minutes * 60
    with ExitStack() as stack:
        database = _database(stack, folder, options.database) if options.strike_every else None
        url = {"database_url": database.url} if database else {}
        server = stack.enter_context(_server(stack, folder, url, fork=options.fork))
        seed = options.seed
        while (remaining := end - time.monotonic()) > 0:
            plan = Plan(
                seed,
                min(ROUND_SECONDS, remaining),
                options.kill_every,
                options.clients,
                options.rooms,
                options.pause,
                strike_every=options.strike_every,
            )
            history = asyncio.run(execute(plan, server, database))
            violations = judge(history)
            total += _figures(history)
            _report(seed, history, violations)
            if violations:
                print(f"The database and the server's log are in {folder}")
                return 1
            if reasons := proves_nothing(history, kills=1 if options.kill_every < remaining else 0):
                print("This proves nothing:", "; ".join(reasons))
                return 2
            seed += 1
    print("Nothing was lost:", ", ".join(f"{count} {name}" for name, count in total.items()))
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="duration (%(default)s)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="seed of the first round (random)"
    )
    parser.add_argument(
        "--clients", type=int, default=10, help="number of clients, two for each user (%(default)s)"
    )
    parser.add_argument("--rooms", type=int, default=3, help="number of rooms (%(default)s)")
    parser.add_argument(
        "--kill-every", type=float, default=10, help="mean seconds between kills (%(default)s)"
    )
    parser.add_argument("--pause", type=float, default=0.03, help="mean seconds between actions of a client")
    parser.add_argument("--database", default="sqlite", choices=("sqlite", "postgresql", "mariadb"))
    parser.add_argument(
        "--strike-every", type=float, default=0, help="mean seconds between faults of the database (0: none)"
    )
    parser.add_argument("--fork", action="store_true", help="fork servers from a warm process: more kills")
    return parser.parse_args(arguments)


def _database(stack: ExitStack, folder: Path, kind: str) -> FaultyDatabase:
    kinds: dict[str, Callable[[], FaultyDatabase]] = {
        "sqlite": lambda: FaultySqlite(folder),
        "postgresql": FaultyPostgres,
        "mariadb": FaultyMariaDb,
    }
    database = kinds[kind]()
    stack.callback(database.close)
    return database


def _server(stack: ExitStack, folder: Path, url: dict[str, str], *, fork: bool) -> ChatServer:
    settings = SETTINGS | url
    if fork:
        return ForkedServer(folder, stack.enter_context(ForkServer(folder / "fork_server.log")), **settings)
    return ChatServer(folder, (), **settings)


def _figures(history: History) -> Counter[str]:
    hits = sum(1 for waiting in history.kills if waiting)
    counted = Counter({name: history.counts[name] for name in REPORTED})
    struck = Counter({name: count for name, count in history.counts.items() if "struck" in name})
    return (
        Counter({"operations": len(history.operations), "kills during operations": hits}) + counted + struck
    )


def _report(seed: int, history: History, violations: Sequence[Violation]) -> None:
    figures = ", ".join(f"{count} {name}" for name, count in _figures(history).items())
    print(
        f"seed {seed}: {figures}; longest answer {history.longest_answer:.1f} s; {len(violations)} violations",
        flush=True,
    )
    for law, text in violations[:20]:
        print(f"  {law}: {text[:600]}")


if __name__ == "__main__":
    sys.exit(main())
