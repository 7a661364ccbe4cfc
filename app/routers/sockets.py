"""A plain request to the address of a socket."""

from typing import ClassVar, NoReturn

from fastapi import APIRouter

from app.core.errors import AppError

router = APIRouter(include_in_schema=False)


class UpgradeRequired(AppError):
    """This is the address of a WebSocket. If yours is a WebSocket, a proxy in between drops its Upgrade header."""

    status = 426
    headers: ClassVar[dict[str, str]] = {"Upgrade": "websocket", "Connection": "Upgrade"}


@router.get("/ws", response_model=None)
@router.get("/ws/chat/{room_id}", response_model=None)
async def explain() -> NoReturn:
    """Say what is missing. Raises UpgradeRequired."""
    raise UpgradeRequired
