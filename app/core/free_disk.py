"""How much room the disk with the SQLite file has."""

import asyncio
import shutil
from pathlib import Path

from app.core.logs import log

LOOK_SECONDS = 2.0
"""Between two looks. In that time the fastest writers store some 50 MB."""


class FreeDisk:
    """Whether less than `floor` bytes are left. Never, without a file."""

    def __init__(self, path: Path | None, floor: int) -> None:
        self._path = path
        self._floor = floor
        self.is_low = False

    async def watch(self) -> None:
        """Look now and then, until cancelled."""
        while self._path is not None and self._floor:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look now, in a thread: a network disk may hang. While the folder cannot be read, nothing changes."""
        assert self._path is not None
        try:
            usage = await asyncio.to_thread(shutil.disk_usage, self._path.parent)
        except OSError:
            return
        is_low = usage.free < self._floor
        if is_low != self.is_low:
            tell = log.warning if is_low else log.info
            tell(
                "disk.nearly_full" if is_low else "disk.has_room", path=str(self._path), free_bytes=usage.free
            )
        self.is_low = is_low
