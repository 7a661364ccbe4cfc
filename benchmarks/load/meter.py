"""Processor time of the server and of the load in a period, and whether the load was the bottleneck."""

import os
from dataclasses import dataclass
from time import perf_counter, process_time

from benchmarks.machine import busy_seconds, cpu_seconds

LIMIT = 0.85
"""If the load used more than this share of its core, it may have been the bottleneck, and the run is void."""
DISTURBED = 0.2
"""If other processes used more than this share of either core, the run is void."""


@dataclass(frozen=True)
class Instant:
    """Clocks that were read together, all in seconds."""

    wall: float
    load: float
    server: float
    load_core: float
    server_core: float

    @classmethod
    def now(cls, server: int) -> "Instant":
        mine, its = min(os.sched_getaffinity(0)), min(os.sched_getaffinity(server))
        return cls(perf_counter(), process_time(), cpu_seconds(server), busy_seconds(mine), busy_seconds(its))


@dataclass(frozen=True)
class Cost:
    """Processor time between two instants. Shares are those of one core."""

    seconds: float
    server_share: float
    load_share: float
    others_share: float
    """The share of other processes, on the core of which they used more."""
    server_seconds: float

    @classmethod
    def between(cls, start: Instant, end: Instant) -> "Cost":
        wall = end.wall - start.wall
        server = end.server - start.server
        load = end.load - start.load
        others = max(end.load_core - start.load_core - load, end.server_core - start.server_core - server)
        return cls(wall, server / wall, load / wall, max(0.0, others) / wall, server)

    def per(self, count: float) -> float:
        """Microseconds of server time per operation."""
        return self.server_seconds * 1e6 / count if count else 0.0

    def void(self) -> str:
        """Why the run is void, or an empty string."""
        if self.load_share > LIMIT:
            return f"the load used {self.load_share:.0%} of its core"
        if self.others_share > DISTURBED:
            return f"other processes used {self.others_share:.0%} of a core: the machine is busy"
        return ""

    def record(self) -> dict[str, float]:
        return {
            "seconds": round(self.seconds, 3),
            "server_share": round(self.server_share, 3),
            "load_share": round(self.load_share, 3),
            "others_share": round(self.others_share, 3),
        }


def pin(core: int) -> None:
    """Keep this process on one core."""
    os.sched_setaffinity(0, {core})
