"""Bounds the connections that have not become WebSockets: for each address, and by the file descriptors there are."""

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from app.core.addresses import is_loopback, origin
from app.core.logs import log

if sys.platform != "win32":
    import resource

RESERVED_DESCRIPTORS = 100
"""Files that stay free for the database, the logs and the listening socket."""
LOG_SECONDS = 60.0
MAX_DESCRIPTORS = 1 << 20
"""Above the hard limit of every common system; macOS refuses to set "unlimited"."""
MACOS_DESCRIPTORS = 10_240


class Idle(Protocol):
    """A connection that counts."""

    @property
    def is_idle(self) -> bool:
        """Whether it is kept open after its last answer, and waits for another request."""
        ...

    def close_idle(self) -> None: ...


class ConnectionLimit:
    """Counts connections by address. Where there is no room, one that is idle makes room for a new one."""

    def __init__(
        self, per_address: int, descriptors: int, is_exempt: Callable[[str], bool] = is_loopback
    ) -> None:
        """`per_address` 0 means no limit. Addresses that are exempt speak for many clients, as a proxy does."""
        self._per_address = per_address
        self._most = max(1, descriptors - RESERVED_DESCRIPTORS)
        self._is_exempt = is_exempt
        self._connections: defaultdict[str, dict[Idle, None]] = defaultdict(dict)
        """In the order of their arrival."""
        self._logged_at = -LOG_SECONDS

    def add(self, connection: Idle, address: str, total: int) -> bool:
        """Count the connection until it is removed. False if there is no room for it.

        `total` is how many connections the server has, WebSockets included.
        """
        if total > self._most:
            self._log(address, self._most)
            return False
        if not self._per_address or self._is_exempt(address):
            return True
        here = self._connections[origin(address)]
        if len(here) >= self._per_address:
            idle = next((one for one in here if one.is_idle), None)
            if idle is None:
                self._log(address, self._per_address)
                return False
            del here[idle]
            idle.close_idle()
        here[connection] = None
        return True

    def remove(self, connection: Idle, address: str) -> None:
        """Count it no longer: it is lost, or has become a WebSocket. May be called for one that was never added."""
        key = origin(address)
        here = self._connections.get(key)
        if here is not None:
            here.pop(connection, None)
            if not here:
                del self._connections[key]

    def _log(self, address: str, limit: int) -> None:
        """At most once a minute: a flood must not fill the disk."""
        now = time.monotonic()
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            log.warning("connections.refused", address=address, limit=limit)


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one. Returns the limit that holds now."""
    if sys.platform == "win32":
        return MAX_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    for most in (wanted, MACOS_DESCRIPTORS):
        if soft != resource.RLIM_INFINITY and soft >= most:
            break
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (ValueError, OSError):
            continue
        return most
    return MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
