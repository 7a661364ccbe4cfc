"""How the database serves this process, for health checks."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool


class Status(NamedTuple):
    """Times are in seconds."""

    since_commit: float | None
    """None before the first write."""
    is_failing: bool
    """Whether a write has failed since the last one that succeeded."""
    oldest_job: float
    """How long the oldest job without an answer has been under way."""
    connections_in_use: int
    connections: int


def count_connections(engines: Iterable[Engine]) -> tuple[int, int]:
    """How many connections are in use, and how many there may be. A database in memory has no pool."""
    pools = [pool for pool in {engine.pool for engine in engines} if isinstance(pool, QueuePool)]
    return sum(pool.checkedout() for pool in pools), sum(pool.size() for pool in pools)
