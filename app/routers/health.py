"""The health check, and the probes of process managers and load balancers."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from app import __version__
from app.core.database import DatabaseUnavailable
from app.routers.http.dependencies import DatabaseDep, ReadinessDep
from app.schemas.problems import responses
from app.services import health

HEALTH_TIMEOUT_SECONDS = 3.0

router = APIRouter(tags=["Health"])


class HealthOut(BaseModel):
    status: str = "ok"
    version: str = __version__


@router.get("/health", responses=responses(503))
async def check_health(database: DatabaseDep) -> HealthOut:
    """Health check: 200 if the database answers, else 503."""
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_SECONDS):
            await database.read(health.check)
    except TimeoutError:
        raise DatabaseUnavailable from None
    return HealthOut()


class LiveOut(BaseModel):
    status: str = "ok"


class PoolOut(BaseModel):
    """Connections to the database."""

    in_use: int
    size: int


class ReadyOut(BaseModel):
    status: str = "ok"
    last_commit_seconds: float | None
    """Since the last commit of this process; null before the first."""
    oldest_job_seconds: float
    """How long the oldest job without an answer has been under way."""
    pool: PoolOut
    free_disk_bytes: int | None
    """Where the SQLite file is; null for a database server."""


@router.get("/health/live")
async def check_liveness() -> LiveOut:
    """Liveness: 200 as long as the event loop turns. If there is no answer, restart the server."""
    return LiveOut()


@router.get("/health/ready", responses=responses(503))
async def check_readiness(readiness: ReadinessDep) -> ReadyOut:
    """Readiness: 503 while this server should get no new clients: it stops, or cannot write to its database."""
    status = readiness.status
    return ReadyOut(
        last_commit_seconds=status.since_commit,
        oldest_job_seconds=status.oldest_job,
        pool=PoolOut(in_use=status.connections_in_use, size=status.connections),
        free_disk_bytes=readiness.free_bytes,
    )
