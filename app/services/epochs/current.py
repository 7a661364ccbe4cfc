"""The epoch that this process is in."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from app.core.database import Database, DatabaseUnavailable, Unknown
from app.core.logs import log
from app.services.announcements import EpochBegan
from app.services.epochs import chain

PAUSE_SECONDS = 0.2
"""Between two looks at the database: what differs is often met many times at once."""
MAX_PAST = 1000

Publish = Callable[[list[EpochBegan]], None]


class CurrentEpoch:
    """Decides whether what was committed or read is of the history that this process tells its clients.

    Names have no order, and reads end late. So what differs decides nothing: it is dropped, and the epoch is looked up
    in a writer's transaction, one look after the other.
    """

    def __init__(self, database: Database) -> None:
        self.name = ""
        """Empty until something was read."""
        self._database = database
        self._past: deque[str] = deque(maxlen=MAX_PAST)
        self._told: dict[int, int] = {}
        """Rooms that seem to be behind what their listeners were told, and the last number of that."""
        self._is_contradicted = False
        self._look: asyncio.Task[None] | None = None
        self._publish: Publish = lambda _: None

    def on_change(self, publish: Publish) -> None:
        """Call `publish` in the event loop when a new epoch is noticed."""
        self._publish = publish

    def is_current(self, name: str) -> bool:
        """Whether this is the name of the current epoch. If not, the epoch will be looked up."""
        self.name = self.name or name
        if name != self.name:
            self._look_soon()
        return name == self.name

    def doubt(self, told: Mapping[int, int]) -> None:
        """A reader found these rooms below what their listeners were told: either it lags, or the history went back."""
        self._told |= told
        self._look_soon()

    def contradict(self) -> None:
        """A commit gave out a number that listeners have heard already: the history went back."""
        self._is_contradicted = True
        self._look_soon()

    async def settled(self) -> None:
        """Return when no look is on its way."""
        if self._look is not None:
            await asyncio.wait([self._look])

    def _look_soon(self) -> None:
        if self._look is None:
            self._look = asyncio.get_running_loop().create_task(self._settle())

    async def _settle(self) -> None:
        told, is_contradicted = dict(self._told), self._is_contradicted
        try:
            name = await self._database.write(chain.confirm, self.name, self._past, told, is_contradicted)
        except (DatabaseUnavailable, Unknown):
            return  # whatever differed is met again
        else:
            self._told, self._is_contradicted = {}, False
            self._take(name)
            await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._look = None

    def _take(self, name: str) -> None:
        if name == self.name:
            return
        log.warning("epoch.began", epoch=name, before=self.name)
        self._past.append(self.name)
        self.name = name
        self._publish([EpochBegan(name)])
