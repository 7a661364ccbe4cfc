"""`python -m benchmarks`: measure this project and its peers, print a table, keep the figures and a plot.

python -m benchmarks                                   everything, 5 runs each, about an hour
python -m benchmarks --works conversation --peers ours,fastapi --runs 2
python -m benchmarks --short                           under a minute: proves that it runs
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks import plan, results
from benchmarks.install import install
from benchmarks.machine import cores, raise_file_limit
from benchmarks.peers import BY_NAME, VENV
from benchmarks.runner import Figures, interleaved

UNFINISHED = results.LATEST.with_name("unfinished.json")
"""What has been measured so far: an hour is long, and something may end it."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--works", help=f"some of: {', '.join(plan.BY_NAME)}; `fanout` stands for all that begin so"
    )
    parser.add_argument("--peers", help=f"some of: {', '.join(BY_NAME)}")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="measured in each run, after a warm-up")
    parser.add_argument("--out", type=Path, default=results.LATEST)
    parser.add_argument("--merge", action="store_true", help="keep what else --out holds")
    parser.add_argument(
        "--short", action="store_true", help="prove that it runs, keep nothing unless --out is given"
    )
    return parser.parse_args()


def works_named(names: str | None) -> tuple[plan.Work, ...]:
    if names is None:
        return plan.WORKS
    wanted = names.split(",")
    return tuple(work for work in plan.WORKS if any(name in (work.name, work.module) for name in wanted))


def tell(work: plan.Work, peer: str, figures: Figures) -> None:
    """One line per run, as it happens."""
    if work.figure not in figures:
        print(f"{work.name:14} {peer:16} void: {figures['void']}", flush=True)
        return
    extra = [
        f"{name}={figures[name]:,.2f}"
        for name in ("cpu_us", "p99_ms", "server_share", "load_share", "others_share")
        if name in figures
    ]
    note = f"  VOID: {figures['void']}" if figures["void"] else ""
    print(
        f"{work.name:14} {peer:16} {figures[work.figure]:>14,.1f} {work.unit:18} {' '.join(extra)}{note}",
        flush=True,
    )


def main() -> int:
    given = options()
    raise_file_limit()
    chosen = set(given.peers.split(",")) if given.peers else None
    if given.short:
        works, runs, warm_up = plan.short(), 1, 0.5
    else:
        works, runs, warm_up = works_named(given.works), given.runs, 1.5
        install()
    if cores()[0] == cores()[1]:
        print("only one core: the load and the server disturb each other, and most runs will be void")
    measured = results.begin(runs, given.seconds)
    broken = 0
    for work, peer, figures in interleaved(works, chosen, runs, given.seconds, warm_up):
        tell(work, peer.name, figures)
        broken += work.figure not in figures
        results.add(measured, work, peer.name, figures)
        results.save(measured, UNFINISHED)
    UNFINISHED.unlink()
    if not given.short or given.out != results.LATEST:
        keep(measured, given.out, given.merge)
    return 1 if broken else 0


def keep(measured: results.Results, out: Path, merge: bool) -> None:
    """Write the figures, and the plot beside them when matplotlib is there."""
    if merge and out.exists():
        measured = results.merge(results.load(out), measured)
    results.save(measured, out)
    if VENV.exists():
        subprocess.run([str(VENV), "-m", "benchmarks.plot", str(out)], check=False)
    subprocess.run([sys.executable, "-m", "benchmarks.readme", "--print", str(out)], check=False)


if __name__ == "__main__":
    sys.exit(main())
