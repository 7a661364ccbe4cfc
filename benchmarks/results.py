"""From runs to figures: medians, spreads, versions, and the file that holds them."""

import json
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from benchmarks.machine import description
from benchmarks.peers import BY_NAME, VENV
from benchmarks.plan import Workload

HERE = Path(__file__).parent
LATEST = HERE / "results" / "latest.json"
PACKAGES = (
    "fastapi", "starlette", "uvicorn", "uvloop", "websockets", "sqlalchemy", "aiosqlite", "python-socketio",
    "channels", "daphne", "django", "socketify", "picows",
)  # fmt: skip

Results = dict[str, Any]


def begin(runs: int, seconds: float) -> Results:
    """Results without figures, with a description of this machine."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "measured_at": when,
        "runs": runs,
        "seconds": seconds,
        "machine": description(),
        "versions": versions(),
        "works": {},
    }


def versions() -> dict[str, str]:
    """The versions of everything that is compared."""
    code = "import sys,json;from importlib.metadata import distributions as d;"
    code += "print(json.dumps({x.metadata['Name'].lower(): x.version for x in d()}))"
    python = str(VENV) if VENV.exists() else sys.executable
    installed = json.loads(subprocess.run([python, "-c", code], capture_output=True, check=True).stdout)
    found = {name: installed[name] for name in PACKAGES if name in installed}
    for package in ("ws", "socket.io"):
        manifest = HERE / "node_modules" / package / "package.json"
        if manifest.exists():
            found[package] = json.loads(manifest.read_text())["version"]
    return found


def add(results: Results, workload: Workload, peer: str, figures: dict[str, Any]) -> None:
    """Add one run, and update the summary of its peer."""
    about = {
        "title": workload.title,
        "unit": workload.unit,
        "figure": workload.figure,
        "more": workload.more,
        "options": workload.options,
    }
    entry = results["works"].setdefault(workload.name, about | {"peers": {}})
    mine = entry["peers"].setdefault(peer, {"label": BY_NAME[peer].label, "runs": []})
    mine["runs"].append(figures)
    mine.update(summary(mine["runs"], workload.figure))


def summary(runs: list[dict[str, Any]], figure: str) -> dict[str, Any]:
    """The median of every number over the runs that are not void, and the spread of the main figure."""
    valid = [run for run in runs if not run["void"]]
    voids = [run["void"] for run in runs if run["void"]]
    if not valid:
        return {"median": None, "spread": None, "medians": {}, "void": voids}
    names = [name for name, value in valid[0].items() if isinstance(value, int | float)]
    medians = {name: statistics.median(run[name] for run in valid) for name in names}
    spread = [min(run[figure] for run in valid), max(run[figure] for run in valid)]
    return {"median": medians[figure], "spread": spread, "medians": medians, "void": voids}


def load(path: Path) -> Results:
    found: Results = orjson.loads(path.read_bytes())
    return found


def save(results: Results, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def merge(old: Results, new: Results) -> Results:
    """`old`, with every pair of workload and peer replaced that `new` has measured."""
    workloads = dict(old["works"])
    for name, entry in new["works"].items():
        peers = workloads.get(name, {"peers": {}})["peers"] | entry["peers"]
        workloads[name] = entry | {"peers": peers}
    return new | {"works": workloads}
