"""Where this server spends its time in a workload: `python -m benchmarks.profile conversation` (py-spy).

Own time by function and line, of all running threads. Sampling begins after the sockets are open.
"""

import argparse
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks import plan, runner
from benchmarks.machine import raise_file_limit
from benchmarks.peers import BY_NAME
from benchmarks.servers import Server, data

SETTLED = 9.0
"""Seconds after which all workloads have their sockets open and are warm."""
SAMPLED = 8
IDLE = ("_worker (concurrent/futures/thread.py", "Condition.wait (threading.py")
"""Threads that wait, which py-spy counts as busy."""


def own_time(stacks: str) -> Counter[str]:
    """Samples per innermost frame, from py-spy's `raw` format: `outer;inner count`."""
    found: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, samples = line.rpartition(" ")
        innermost = stack.rpartition(";")[2]
        if not innermost.startswith(IDLE):
            found[innermost] += int(samples)
    return found


def whole_time(stacks: str) -> Counter[str]:
    """Samples per function, including the functions that it called."""
    found: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, samples = line.rpartition(" ")
        frames = stack.split(";")
        if not frames[-1].startswith(IDLE):
            for function in {frame.rpartition(":")[0] for frame in frames}:
                found[function] += int(samples)
    return found


def sample(server: Server, into: Path) -> None:
    time.sleep(SETTLED)
    command = ["py-spy", "record", "-p", str(server.pid), "-d", str(SAMPLED), "-r", "400", "-f", "raw", "-F"]
    beside = Path(sys.executable).with_name("py-spy")
    if beside.exists():
        command[0] = str(beside)
    subprocess.run([*command, "-o", str(into)], check=False, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    choices = [name for name, workload in plan.BY_NAME.items() if "ours" in workload.peers]
    parser.add_argument("workload", choices=choices)
    parser.add_argument("--top", type=int, default=30)
    parser.add_argument(
        "--whole", action="store_true", help="time per function, including the functions that it called"
    )
    given = parser.parse_args()
    raise_file_limit()
    stacks = data() / "stacks.txt"
    workload = plan.BY_NAME[given.workload]

    def start_sampling(server: Server) -> None:
        threading.Thread(target=sample, args=(server, stacks), daemon=True).start()

    figures = runner.run_once(
        workload, BY_NAME["ours"], SETTLED + SAMPLED, warm_up=1.0, on_start=start_sampling
    )
    shown = {name: figures[name] for name in ("rate", "cpu_us", "server_share", "void") if name in figures}
    print(given.workload, shown)
    text = stacks.read_text()
    all_samples = own_time(text).total()
    for function, count in (whole_time if given.whole else own_time)(text).most_common(given.top):
        print(f"{count / all_samples:6.1%}  {function}")


if __name__ == "__main__":
    main()
