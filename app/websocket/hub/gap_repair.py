"""Reads events that never arrived in this process from the database, which is the truth."""

import asyncio
from collections.abc import Callable

from app.core.database import Database, DatabaseUnavailable
from app.services import changes
from app.services.epochs import CurrentEpoch
from app.websocket.hub.channel import Channel

REPAIR_AFTER_SECONDS = 0.05
"""How long an event that came early waits for the one before it, until the database is asked."""
MAX_PAUSE_SECONDS = 5.0
"""The longest pause between two queries."""


class GapRepair:
    """One task for each channel that has a gap, as long as `has_listeners` is true of it."""

    def __init__(
        self, database: Database, epoch: CurrentEpoch, has_listeners: Callable[[Channel], bool]
    ) -> None:
        self._database = database
        self._epoch = epoch
        self._has_listeners = has_listeners
        self._tasks: dict[Channel, asyncio.Task[None]] = {}

    def start_if_needed(self, channel: Channel) -> None:
        if channel.has_gap and channel not in self._tasks:
            self._tasks[channel] = asyncio.get_running_loop().create_task(self._repair(channel))

    async def _repair(self, channel: Channel) -> None:
        try:
            await self._close_gap(channel)
        finally:  # at once: until a callback of the task has run, a new gap would go unnoticed
            del self._tasks[channel]

    async def _close_gap(self, channel: Channel) -> None:
        """Wait a moment for what is missing, then read it.

        While the database is away, or does not have it yet, ask again after twice the time.
        """
        pause = REPAIR_AFTER_SECONDS
        await asyncio.sleep(pause)
        while channel.has_gap and self._has_listeners(channel):
            if await self._read_on(channel):
                pause = REPAIR_AFTER_SECONDS
            else:
                pause = min(2 * pause, MAX_PAUSE_SECONDS)
                await asyncio.sleep(pause)

    async def _read_on(self, channel: Channel) -> bool:
        """Deliver what the database has after the channel's last number. Returns whether there was anything."""
        head = channel.head or 0
        try:
            found = await self._database.read(changes.since, channel.room_id, head, changes.PAGE)
        except DatabaseUnavailable:
            return False
        if not self._epoch.is_current(found.epoch):
            return False
        channel.repair(found.seq, found.seqs, found.bodies, is_whole=not found.truncated)
        return found.seq > head
