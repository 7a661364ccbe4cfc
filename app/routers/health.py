"""Whether the server can do its work."""

from fastapi import APIRouter
from pydantic import BaseModel

from app import __version__
from app.routers.dependencies import DatabaseDep
from app.schemas.problems import responses
from app.services import health

router = APIRouter(tags=["Health"])


class HealthOut(BaseModel):
    status: str = "ok"
    version: str = __version__


@router.get("/health", responses=responses(503))
async def check(database: DatabaseDep) -> HealthOut:
    """Health check: 200 if the database answers, else 503."""
    await database.read(health.check)
    return HealthOut()
