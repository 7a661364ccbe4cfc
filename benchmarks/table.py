"""The figures as Markdown, with ratios. All of them follow from the JSON."""

from typing import Any

Entry = dict[str, Any]

PEERS_SHOWN = (
    "ours",
    "socketify",
    "ws_node",
    "socketio_node",
    "picows",
    "fastapi",
    "fastapi_store",
    "socketio_python",
    "channels",
    "rest_orm",
    "rest_noop",
)


def number(value: float | None) -> str:
    """Three significant digits, with commas between thousands."""
    if value is None:
        return "void"
    if value >= 100:
        digits = len(str(int(value))) - 3
        return f"{round(value / 10**digits) * 10**digits:,}"
    return f"{value:.3g}"


def times(entry: Entry, peer: str) -> str:
    """How many times better this project is than `peer`; below 1 it is worse."""
    ours, theirs = (entry["peers"].get(name, {}).get("median") for name in ("ours", peer))
    if not ours or not theirs or peer == "ours":
        return ""
    return f"{number(ours / theirs if entry['more'] else theirs / ours)} ×"


def times_by_cost(entry: Entry, peer: str) -> str:
    """The same ratio by the server's processor time, which depends less on other load."""
    ours, theirs = (entry["peers"].get(name, {}).get("medians", {}).get("cpu_us") for name in ("ours", peer))
    return f"{number(theirs / ours)} ×" if ours and theirs and peer != "ours" else ""


def _row(entry: Entry, peer: str) -> str:
    figures = entry["peers"][peer]
    spread = figures["spread"]
    between = f"{number(spread[0])} – {number(spread[1])}" if spread else "; ".join(figures["void"])[:80]
    cpu = figures["medians"].get("cpu_us")
    cost = number(cpu) if cpu is not None else ""
    median = number(figures["median"])
    cells = [figures["label"], median, between, cost, times(entry, peer), times_by_cost(entry, peer)]
    return "| " + " | ".join(cells) + " |"


def full(results: dict[str, Any]) -> str:
    """All workloads and servers: median, spread, server time per operation, and the ratios to this project."""
    parts = []
    for entry in results["works"].values():
        head = f"| {entry['title']} | {entry['unit']} | of the runs | server µs each | ours is | by server time |"
        rows = [_row(entry, peer) for peer in PEERS_SHOWN if peer in entry["peers"]]
        parts.append("\n".join([head, "|---|--:|--:|--:|--:|--:|", *rows]))
    return "\n\n".join(parts)


SUMMARY = ("ours", "socketify", "ws_node", "socketio_node", "fastapi", "fastapi_store")


def summary(results: dict[str, Any]) -> str:
    """One row per workload, with the most common servers side by side. For the README."""
    labels = {
        peer: figures["label"]
        for entry in results["works"].values()
        for peer, figures in entry["peers"].items()
        if peer in SUMMARY
    }
    peers = [peer for peer in SUMMARY if peer in labels]
    head = "| | " + " | ".join(labels[peer] for peer in peers) + " |"
    rows = []
    for entry in results["works"].values():
        if "ours" not in entry["peers"] or _is_apart(entry):
            continue
        cells = [number(entry["peers"][peer]["median"]) if peer in entry["peers"] else "–" for peer in peers]
        rows.append(
            f"| {entry['title']} ({entry['unit']}) | **{cells[0]}** | " + " | ".join(cells[1:]) + " |"
        )
    return "\n".join([head, "|---" + "|--:" * len(peers) + "|", *rows])


def apart(results: dict[str, Any]) -> str:
    """One sentence for each workload with other peers than the rest. For the README."""
    return "\n".join(_sentence(entry) for entry in results["works"].values() if _is_apart(entry))


def _is_apart(entry: Entry) -> bool:
    peers = set(entry["peers"])
    return len(peers) > 1 and peers & set(SUMMARY) == {"ours"}


def _sentence(entry: Entry) -> str:
    shown = [entry["peers"][peer] for peer in PEERS_SHOWN if peer in entry["peers"]]
    each = ", ".join(f"{figures['label']} {number(figures['median'])}" for figures in shown)
    return f"{entry['title']} ({entry['unit']}): {each}."


def footing(results: dict[str, Any]) -> str:
    """The machine, the versions and the date."""
    machine, versions = results["machine"], results["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['cpu']}, one core for the server and one for the load; Linux {machine['kernel']}, "
        f"Python {machine['python']}, Node {machine['node']}; {listed}. "
        f"Median of {results['runs']} interleaved runs, {results['measured_at'][:10]}."
    )
