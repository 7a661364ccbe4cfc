"""Percentiles of latencies, in milliseconds."""

from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank; `ordered` is sorted and not empty."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def latencies(seconds: list[float]) -> dict[str, float]:
    """`p50`, `p99`, `p999` and the worst of the given seconds, in milliseconds."""
    ordered = sorted(seconds)
    shares = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999}
    found = {name: round(percentile(ordered, share) * 1e3, 3) for name, share in shares.items()}
    return found | {"max_ms": round(ordered[-1] * 1e3, 3), "samples": len(ordered)}
