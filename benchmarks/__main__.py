"""`python -m benchmarks`: measure this project and its peers, print a table, and save the figures and a plot.

python -m benchmarks                                   everything, 5 runs each, about an hour
python -m benchmarks --works conversation --peers ours,fastapi --runs 2
python -m benchmarks --short                           under a minute: checks that all workloads run
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
"""The figures so far, in case a run of an hour is interrupted."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--works",
        help=f"some of: {', '.join(plan.BY_NAME)}; the name of a module, such as `fanout`, selects all its sizes",
    )
    parser.add_argument("--peers", help=f"some of: {', '.join(BY_NAME)}")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="measured in each run, after a warm-up")
    parser.add_argument("--out", type=Path, default=results.LATEST)
    parser.add_argument("--merge", action="store_true", help="keep the other figures of --out")
    parser.add_argument(
        "--short",
        action="store_true",
        help="check that all workloads run; save figures only if --out is given",
    )
    return parser.parse_args()


def workloads_named(names: str | None) -> tuple[plan.Workload, ...]:
    if names is None:
        return plan.WORKLOADS
    wanted = names.split(",")
    return tuple(
        workload
        for workload in plan.WORKLOADS
        if any(name in (workload.name, workload.module) for name in wanted)
    )


def print_run(workload: plan.Workload, peer: str, figures: Figures) -> None:
    """Print one line per run, when it ends."""
    if workload.figure not in figures:
        print(f"{workload.name:14} {peer:16} void: {figures['void']}", flush=True)
        return
    extra = [
        f"{name}={figures[name]:,.2f}"
        for name in ("cpu_us", "p99_ms", "server_share", "load_share", "others_share")
        if name in figures
    ]
    note = f"  VOID: {figures['void']}" if figures["void"] else ""
    print(
        f"{workload.name:14} {peer:16} {figures[workload.figure]:>14,.1f} {workload.unit:18} {' '.join(extra)}{note}",
        flush=True,
    )


def main() -> int:
    given = options()
    raise_file_limit()
    chosen = set(given.peers.split(",")) if given.peers else None
    if given.short:
        workloads, runs, warm_up = plan.short(), 1, 0.5
    else:
        workloads, runs, warm_up = workloads_named(given.works), given.runs, 1.5
        install()
    if cores()[0] == cores()[1]:
        print("there is only one core: the load and the server compete for it, and most runs will be void")
    measured = results.begin(runs, given.seconds)
    failed = 0
    for workload, peer, figures in interleaved(workloads, chosen, runs, given.seconds, warm_up):
        print_run(workload, peer.name, figures)
        failed += workload.figure not in figures
        results.add(measured, workload, peer.name, figures)
        results.save(measured, UNFINISHED)
    UNFINISHED.unlink()
    if not given.short or given.out != results.LATEST:
        save_results(measured, given.out, given.merge)
    return 1 if failed else 0


def save_results(measured: results.Results, out: Path, merge: bool) -> None:
    """Write the figures, and a plot beside them if matplotlib is installed."""
    if merge and out.exists():
        measured = results.merge(results.load(out), measured)
    results.save(measured, out)
    if VENV.exists():
        subprocess.run([str(VENV), "-m", "benchmarks.plot", str(out)], check=False)
    subprocess.run([sys.executable, "-m", "benchmarks.readme", "--print", str(out)], check=False)


if __name__ == "__main__":
    sys.exit(main())
