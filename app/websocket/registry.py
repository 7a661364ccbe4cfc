"""Who is connected to this process: how many, with which login, until when, and who falls behind."""

import asyncio
import contextlib
import heapq
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Protocol, TypeVar

from app.core.config import Settings
from app.core.errors import TooManyRequests
from app.core.logs import log
from app.schemas import close_codes
from app.schemas.close_codes import Close
from app.schemas.events import Event, Goodbye
from app.services.callers import Caller
from app.websocket.transport import Transport

K = TypeVar("K")

OVER_SECONDS = 0.5
"""How long a listener may be over the limit of what waits for it."""
HARD_LIMIT_FACTOR = 16
"""And by how many times: a room of long messages tells 5 MB in that moment, on a small server. By default there is room
for all that may wait for somebody who catches up (`channel.CACHE_BYTES`), which comes in one piece."""
POLL_SECONDS = 0.01


class TooManySockets(TooManyRequests):
    """Too many connections at once from this user or address."""


class Peer(Protocol):
    """What has to be known of a connection here."""

    caller: Caller
    address: str
    serial: int
    """Counts connections, so that they can be told apart and put in slices."""
    expires_at: int
    """When its token ends, seconds since the epoch."""
    is_behind: bool
    wire: Transport

    @property
    def is_busy(self) -> bool:
        """Whether something that was read is not carried out and answered yet."""
        ...

    def tell(self, event: Event) -> None: ...
    def stop_reading(self) -> None: ...
    def leave(self) -> None: ...
    def close(self, why: Close) -> None: ...


class Registry:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.is_closing = False
        self._peers: set[Peer] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._sessions: defaultdict[str, set[Peer]] = defaultdict(set)
        self._per_user: Counter[int] = Counter()
        self._per_address: Counter[str] = Counter()
        self._behind: dict[Peer, float] = {}
        """Those whose buffer has begun to fill, and since when it has been over the limit; 0 while it is not."""
        self._expiries: list[tuple[int, int, Peer]] = []

    def add(self, peer: Peer) -> None:
        """Give the connection a place until it is removed. Raises TooManySockets."""
        per_user, per_address = self._settings.sockets_per_user, self._settings.sockets_per_address
        if per_user and self._per_user[peer.caller.user_id] >= per_user:
            raise TooManySockets
        if per_address and self._per_address[peer.address] >= per_address:
            raise TooManySockets
        self._per_user[peer.caller.user_id] += 1
        self._per_address[peer.address] += 1
        self._peers.add(peer)
        self._empty.clear()
        self._sessions[peer.caller.session_id].add(peer)
        self.watch_expiry(peer)

    def remove(self, peer: Peer) -> None:
        """The connection is gone, whatever ended it. May be called for one that found no place."""
        peer.leave()
        if peer not in self._peers:
            return
        self._peers.discard(peer)
        if not self._peers:
            self._empty.set()
        self._behind.pop(peer, None)
        _count_down(self._per_user, peer.caller.user_id)
        _count_down(self._per_address, peer.address)
        mine = self._sessions[peer.caller.session_id]
        mine.discard(peer)
        if not mine:
            del self._sessions[peer.caller.session_id]

    def slice(self, turn: int, slices: int) -> list[Peer]:
        """One of `slices` equal parts of all connections."""
        return [peer for peer in self._peers if peer.serial % slices == turn]

    # Logins

    @property
    def sessions(self) -> list[str]:
        """The logins that are connected."""
        return list(self._sessions)

    def end_sessions(self, session_ids: Iterable[str]) -> None:
        """Close whatever is connected with these logins."""
        for session_id in session_ids:
            for peer in list(self._sessions.get(session_id, ())):
                peer.close(close_codes.SESSION_ENDED)

    def watch_expiry(self, peer: Peer) -> None:
        """Watch the end of the connection's token."""
        heapq.heappush(self._expiries, (peer.expires_at, peer.serial, peer))
        if len(self._expiries) > 2 * len(self._peers) + 100:
            # Tokens live for a day, connections for minutes: those that are gone would be kept until the evening.
            self._expiries = [(one.expires_at, one.serial, one) for one in self._peers]
            heapq.heapify(self._expiries)

    def end_expired(self) -> None:
        """Close the connections whose token has ended."""
        now = time.time()
        while self._expiries and self._expiries[0][0] <= now:
            _, _, peer = heapq.heappop(self._expiries)
            if peer.expires_at <= now:
                peer.close(close_codes.TOKEN_EXPIRED)

    # Those who fall behind

    def fell_behind(self, peer: Peer) -> None:
        """Its buffer has begun to fill; look after it until it has drained."""
        self._behind.setdefault(peer, 0.0)

    def check_slow(self, now: float) -> None:
        """Spare those at half of the limit what is ephemeral; close those that stay above it. `now` is monotonic.

        A large commit fills every buffer at once, also of those who read fast; they get a moment to show it, if it is
        not far too much.
        """
        limit = self._settings.max_send_buffer_bytes
        for peer, since in list(self._behind.items()):
            waiting = peer.wire.buffered()
            peer.is_behind = waiting > limit // 2
            if not waiting:
                del self._behind[peer]
            elif waiting <= limit:
                self._behind[peer] = 0.0
            elif not since and waiting <= HARD_LIMIT_FACTOR * limit:
                self._behind[peer] = now
            elif waiting > HARD_LIMIT_FACTOR * limit or now - since > OVER_SECONDS:
                log.info("listener.too_slow", user=peer.caller.username, bytes=waiting)
                del self._behind[peer]
                peer.close(close_codes.TOO_SLOW)

    # The end

    def say_goodbye(self) -> None:
        """The server goes away: take no more, and tell everyone when to come back, spread over some time."""
        self.is_closing = True
        spread = len(self._peers) / self._settings.reconnect_spread_per_second
        for position, peer in enumerate(self._peers):
            share = position / max(1, len(self._peers))
            peer.stop_reading()
            peer.tell(Goodbye(reconnect_after_ms=int(1000 * (0.2 + spread * share))))

    async def answered(self) -> None:
        """Return when everything that was read is carried out and answered."""
        while any(peer.is_busy for peer in self._peers):  # noqa: ASYNC110 - an Event would cost every message
            await asyncio.sleep(POLL_SECONDS)

    async def close_all(self, patience: float) -> None:
        """Close every connection, and after `patience` seconds cut off those that have not answered."""
        for peer in list(self._peers):
            peer.close(close_codes.GOING_AWAY)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), patience)
        for peer in list(self._peers):
            peer.wire.abort()


def _count_down(counter: Counter[K], key: K) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
