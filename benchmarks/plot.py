"""Plots the figures of a results file, as SVG and PNG beside it: one small panel per workload."""

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from benchmarks.results import load
from benchmarks.table import PEERS_SHOWN, number

OURS, THEIRS = "#2f6f4f", "#b9c0c7"
COLUMNS = 3


def _panel(axes: Any, entry: dict[str, Any]) -> None:
    peers = [peer for peer in PEERS_SHOWN if entry["peers"].get(peer, {}).get("median") is not None][::-1]
    medians = [entry["peers"][peer]["median"] for peer in peers]
    spreads = [entry["peers"][peer]["spread"] for peer in peers]
    errors = [
        [median - low for median, (low, _) in zip(medians, spreads, strict=True)],
        [high - median for median, (_, high) in zip(medians, spreads, strict=True)],
    ]
    labels = [entry["peers"][peer]["label"] for peer in peers]
    colours = [OURS if peer == "ours" else THEIRS for peer in peers]
    bars = axes.barh(
        labels, medians, color=colours, xerr=errors, error_kw={"elinewidth": 0.8, "ecolor": "#444"}
    )
    axes.bar_label(bars, [number(median) for median in medians], padding=6, fontsize=7)
    better = "more is better" if entry["more"] else "less is better"
    axes.set_title(f"{entry['title']}\n{entry['unit']}, {better}", fontsize=8, loc="left")
    axes.tick_params(labelsize=7, length=0)
    axes.set_xticks([])
    axes.margins(x=0.25)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


def draw(path: Path) -> None:
    measured = load(path)
    entries = [entry for entry in measured["works"].values() if len(entry["peers"]) > 1]
    if not entries:
        return
    rows = -(-len(entries) // COLUMNS)
    figure, panels = plt.subplots(rows, COLUMNS, figsize=(13, 2.6 * rows), squeeze=False)
    for axes in panels.flat[len(entries) :]:
        axes.set_visible(False)
    for axes, entry in zip(panels.flat, entries, strict=False):
        _panel(axes, entry)
    figure.tight_layout()
    mpl.rcParams["svg.hashsalt"] = "benchmarks"
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=130)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
