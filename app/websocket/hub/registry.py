"""The connections of this process: how many, with which logins, and until when."""

import asyncio
import contextlib
import heapq
import time
from collections import Counter, defaultdict
from typing import Protocol, TypeVar

from app.core.config import Settings
from app.core.errors import TooManyRequests
from app.core.security.tokens import LEEWAY_SECONDS
from app.schemas import close_codes
from app.schemas.close_codes import Close
from app.schemas.connections import Goodbye
from app.schemas.frames import Event
from app.services.announcements import EpochBegan, SessionsEnded
from app.services.callers import Caller
from app.websocket.transport import Transport

K = TypeVar("K")

POLL_SECONDS = 0.01


class TooManySockets(TooManyRequests):
    """Too many connections at once from this user or address."""

    def __init__(self, setting: str) -> None:
        super().__init__()
        self.setting = setting
        """The name of the limit."""


class Peer(Protocol):
    """The attributes of a connection that the registry uses."""

    caller: Caller
    address: str
    number: int
    """A serial number, to distinguish connections and to divide them into slices."""
    expires_at: int
    """When its token expires, in seconds since the epoch."""
    transport: Transport

    @property
    def is_busy(self) -> bool:
        """Whether something that was read is not carried out and answered yet."""
        ...

    def send_event(self, event: Event) -> None: ...
    def stop_reading(self) -> None: ...
    def stop_listening(self) -> None: ...
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
        self._expiries: list[tuple[int, int, Peer]] = []

    def add(self, peer: Peer) -> None:
        """Count the connection until it is removed. Raises TooManySockets."""
        per_user, per_address = self._settings.sockets_per_user, self._settings.sockets_per_address
        if per_user and self._per_user[peer.caller.user_id] >= per_user:
            raise TooManySockets("SOCKETS_PER_USER")
        if per_address and self._per_address[peer.address] >= per_address:
            raise TooManySockets("SOCKETS_PER_ADDRESS")
        self._per_user[peer.caller.user_id] += 1
        self._per_address[peer.address] += 1
        self._peers.add(peer)
        self._empty.clear()
        self._sessions[peer.caller.session_id].add(peer)
        self.watch_expiry(peer)

    def remove(self, peer: Peer) -> None:
        """Remove a connection that is lost. May be called for one that was never added."""
        peer.stop_listening()
        if peer not in self._peers:
            return
        self._peers.discard(peer)
        if not self._peers:
            self._empty.set()
        _count_down(self._per_user, peer.caller.user_id)
        _count_down(self._per_address, peer.address)
        same_login = self._sessions[peer.caller.session_id]
        same_login.discard(peer)
        if not same_login:
            del self._sessions[peer.caller.session_id]

    def slice(self, turn: int, slices: int) -> list[Peer]:
        """One of `slices` equal parts of all connections."""
        return [peer for peer in self._peers if peer.number % slices == turn]

    # Logins

    @property
    def sessions(self) -> list[str]:
        """The logins that are connected."""
        return list(self._sessions)

    def end_sessions(self, ended: SessionsEnded) -> None:
        """Close every connection of these logins."""
        for session_id in ended.session_ids:
            for peer in list(self._sessions.get(session_id, ())):
                peer.close(close_codes.SESSION_ENDED)

    def watch_expiry(self, peer: Peer) -> None:
        """Close the connection when its token expires: see `end_expired`."""
        heapq.heappush(self._expiries, (peer.expires_at, peer.number, peer))
        if len(self._expiries) > 2 * len(self._peers) + 100:
            # Tokens live for a day, connections for minutes: without this, dead connections stay in memory for a day.
            self._expiries = [(one.expires_at, one.number, one) for one in self._peers]
            heapq.heapify(self._expiries)

    def end_expired(self) -> None:
        """Close the connections whose token has expired."""
        now = time.time() - LEEWAY_SECONDS
        while self._expiries and self._expiries[0][0] <= now:
            _, _, peer = heapq.heappop(self._expiries)
            if peer.expires_at <= now:
                peer.close(close_codes.TOKEN_EXPIRED)

    # Epochs

    def start_anew(self, _: EpochBegan) -> None:
        """Close every connection: what its client has may be of another history, and so may its login."""
        self._announce_return()
        for peer in list(self._peers):
            peer.close(close_codes.PUT_BACK)

    # Stopping

    def say_goodbye(self) -> None:
        """Stop reading, and tell clients when to reconnect, spread over some time: the server is shutting down."""
        self.is_closing = True
        for peer in self._peers:
            peer.stop_reading()
        self._announce_return()

    def _announce_return(self) -> None:
        """Tell each client when to reconnect, so that they do not all come at once."""
        spread = len(self._peers) / self._settings.reconnect_spread_per_second
        for position, peer in enumerate(self._peers):
            share = position / max(1, len(self._peers))
            peer.send_event(Goodbye(reconnect_after_ms=int(1000 * (0.2 + spread * share))))

    async def answered(self) -> None:
        """Return when everything that was read is carried out and answered."""
        while any(peer.is_busy for peer in self._peers):  # noqa: ASYNC110 - an Event would cost every message
            await asyncio.sleep(POLL_SECONDS)

    async def close_all(self, timeout: float) -> None:
        """Close every connection, and after `timeout` seconds abort those that have not answered."""
        for peer in list(self._peers):
            peer.close(close_codes.GOING_AWAY)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), timeout)
        for peer in list(self._peers):
            peer.transport.abort()


def _count_down(counter: Counter[K], key: K) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
