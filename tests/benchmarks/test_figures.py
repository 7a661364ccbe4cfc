"""The figures of the README are those of the JSON, and a void run counts in neither."""

from typing import Any

import pytest

from benchmarks import plan, readme, results, table
from benchmarks.load.statistics import latencies

FANOUT = plan.BY_NAME["fanout_200"]


def measured(**rates: float) -> results.Results:
    found: dict[str, Any] = {
        "measured_at": "2024-01-01T00:00:00+00:00",
        "runs": 1,
        "machine": {"cpu": "a CPU", "kernel": "6", "python": "3.11", "node": "v20"},
        "versions": {"fastapi": "1"},
        "works": {},
    }
    for peer, rate in rates.items():
        results.add(found, FANOUT, peer, {"rate": rate, "cpu_us": 1.0, "void": ""})
    return found


def test_the_median_is_that_of_the_runs_that_are_not_void() -> None:
    found = measured(ours=1.0)
    for rate, void in ((3.0, ""), (5.0, ""), (1000.0, "the load was the limit")):
        results.add(found, FANOUT, "ours", {"rate": rate, "cpu_us": 1.0, "void": void})

    ours = found["works"]["fanout_200"]["peers"]["ours"]

    assert (ours["median"], ours["spread"], ours["void"]) == (3.0, [1.0, 5.0], ["the load was the limit"])


def test_the_readme_changes_only_between_its_markers() -> None:
    text = f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n"

    written = readme.with_figures(text, measured(ours=1_234_567.0, fastapi=27_000.0))

    assert written.startswith("before\n")
    assert written.endswith("\nafter\n")
    assert "**1,230,000**" in written
    assert "27,000" in written
    assert "old" not in written


def test_a_readme_with_other_figures_is_detected() -> None:
    figures = measured(ours=2000.0)
    text = readme.with_figures(f"{readme.BEGIN}{readme.END}", figures)

    assert readme.agrees(text, figures)
    assert not readme.agrees(text.replace("2,000", "3,000"), figures)


def test_ratios_say_how_much_better_this_project_is_even_if_less_is_better() -> None:
    entry = measured(ours=300.0, fastapi=100.0)["works"]["fanout_200"]

    assert table.times(entry, "fastapi") == "3 ×"
    assert table.times(entry | {"more": False}, "fastapi") == "0.333 ×"


def test_a_workload_with_other_peers_has_a_sentence_and_no_row() -> None:
    found = measured(ours=2000.0, fastapi=1000.0)
    for peer, rate in {"ours": 3600.0, "rest_orm": 400.0, "rest_noop": 3700.0}.items():
        results.add(found, plan.BY_NAME["rest"], peer, {"rate": rate, "cpu_us": 1.0, "void": ""})

    written = readme.block(found)

    sentence = (
        "REST recent?limit=50 (requests/s): this project 3,600, "
        "FastAPI, async ORM 400, FastAPI, token check only 3,700."
    )
    assert sentence in written
    assert written.count("recent?limit=50") == 1


def test_a_stall_shows_in_the_high_percentiles() -> None:
    found = latencies([0.001] * 985 + [0.5] * 15)

    assert (found["p50_ms"], found["p99_ms"], found["max_ms"]) == (1.0, 500.0, 500.0)


@pytest.mark.skipif(not results.LATEST.exists(), reason="nothing has been measured yet")
def test_the_figures_of_the_readme_are_those_of_the_last_measurement() -> None:
    assert readme.agrees(readme.README.read_text(encoding="utf-8"), results.load(results.LATEST))
