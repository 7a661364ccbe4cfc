"""The short form of the benchmarks runs against real servers, on a quiet machine in under a minute."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from benchmarks import plan
from benchmarks.peers import ROOT


@pytest.mark.timeout(420)
@pytest.mark.xdist_group("benchmarks")
def test_the_short_form_measures_every_workload_that_it_names(tmp_path: Path) -> None:
    out = tmp_path / "short.json"

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--short", "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    workloads = orjson.loads(out.read_bytes())["works"]
    for workload in plan.short():
        for peer in workload.peers:
            [run] = workloads[workload.name]["peers"][peer]["runs"]
            assert run[workload.figure] > 0, f"{workload.name} of {peer}: {run}"
