"""What a stretch of time cost: the server, the load, and whether the load was the limit."""

import os
from dataclasses import dataclass
from time import perf_counter, process_time

from benchmarks.machine import Waited, cpu_seconds

LIMIT = 0.85
"""Above this share of its core the load may be what was measured, and the run is void."""


@dataclass(frozen=True)
class Instant:
    """Clocks read together."""

    wall: float
    own: float
    waited: float
    server: float

    @classmethod
    def now(cls, server: int) -> "Instant":
        return cls(perf_counter(), process_time(), Waited.so_far().seconds, cpu_seconds(server))


@dataclass(frozen=True)
class Cost:
    """Between two instants."""

    seconds: float
    server_share: float
    load_share: float
    load_waited: float
    server_seconds: float

    @classmethod
    def between(cls, start: Instant, end: Instant) -> "Cost":
        wall = end.wall - start.wall
        server = end.server - start.server
        waited = end.waited - start.waited
        return cls(wall, server / wall, (end.own - start.own) / wall, waited / wall, server)

    def per(self, count: float) -> float:
        """Microseconds of server time for each of `count` things."""
        return self.server_seconds * 1e6 / count if count else 0.0

    def void(self) -> str:
        """Why this stretch proves nothing, or an empty string."""
        if self.load_share > LIMIT:
            return f"the load used {self.load_share:.0%} of its core"
        if self.load_share + self.load_waited > LIMIT + 0.1:
            return f"the load waited {self.load_waited:.0%} of the time for its core: the machine is busy"
        return ""

    def record(self) -> dict[str, float]:
        return {
            "seconds": round(self.seconds, 3),
            "server_share": round(self.server_share, 3),
            "load_share": round(self.load_share, 3),
            "load_waited": round(self.load_waited, 3),
        }


def pin(core: int) -> None:
    """Keep this process on one core."""
    os.sched_setaffinity(0, {core})
