"""The benchmarks run: every kind of work, against a real server; on a quiet machine in under a minute."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from benchmarks import plan
from benchmarks.peers import ROOT


@pytest.mark.timeout(420)
@pytest.mark.xdist_group("benchmarks")
def test_the_short_form_measures_every_work_it_names(tmp_path: Path) -> None:
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
    works = orjson.loads(out.read_bytes())["works"]
    for work in plan.short():
        for peer in work.peers:
            [run] = works[work.name]["peers"][peer]["runs"]
            assert run[work.figure] > 0, f"{work.name} of {peer}: {run}"
