"""The health check."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from app import __version__
from app.core.database import DatabaseUnavailable
from app.routers.http.dependencies import DatabaseDep
from app.schemas.problems import responses
from app.services import health

HEALTH_TIMEOUT_SECONDS = 3.0

router = APIRouter(tags=["Health"])


class HealthOut(BaseModel):
    status: str = "ok"
    version: str = __version__


@router.get("/health", responses=responses(503))
async def check(database: DatabaseDep) -> HealthOut:
    """Health check: 200 if the database answers, else 503."""
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_SECONDS):
            await database.read(health.check)
    except TimeoutError:
        raise DatabaseUnavailable from None
    return HealthOut()
