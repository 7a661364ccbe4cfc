"""Sends a long catch-up without falling behind or delaying others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from app.core.errors import AppError
from app.core.serving.admission import AdmissionQueue
from app.schemas import close_codes
from app.websocket.connection import Connection
from app.websocket.transport import Payload

PORTION_SECONDS = 60.0
"""How long a listener may take to receive one portion."""
CATCH_UP_SECONDS = 300.0
"""How long it may take for all of them, while new events are buffered for it. The largest catch-up, a thousand changes
of 32 kB, takes as long at 110 kB/s. A client that reconnects goes on from what it has."""


class TooSlow(AppError):
    """You are reading too slowly."""


async def send_portions(
    connection: Connection, portions: Sequence[Payload], admission: AdmissionQueue
) -> None:
    """Send each portion in its turn, and when the transport takes it. Raises TooSlow."""
    for portion in portions:
        await admission.wait_turn()
        if connection.is_over:
            raise TooSlow
        connection.send(portion)
        async with within(connection, PORTION_SECONDS):
            await connection.transport.drained()


@asynccontextmanager
async def within(connection: Connection, seconds: float) -> AsyncIterator[None]:
    """Close a listener for which this takes longer. Raises TooSlow."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        connection.close(close_codes.TOO_SLOW)
        raise TooSlow from None
