"""An LRU cache bounded in bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_OVERHEAD_BYTES = 256
"""Bytes that an entry takes in addition to its value."""


class ByteLru(Generic[K, V]):
    """Evicts the least recently used entries above `max_bytes`. Values above `max_entry_bytes` are not stored."""

    def __init__(self, max_bytes: int, max_entry_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._max_entry_bytes = max_entry_bytes
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: K) -> V | None:
        """The value last stored under this key, unless it was evicted."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Store a value of `size` bytes, replacing any previous one."""
        if old := self._entries.pop(key, None):
            self._bytes -= old[1]
        if size > self._max_entry_bytes:
            return
        self._entries[key] = value, size + ENTRY_OVERHEAD_BYTES
        self._bytes += size + ENTRY_OVERHEAD_BYTES
        while self._bytes > self._max_bytes:
            _, (_, oldest) = self._entries.popitem(last=False)
            self._bytes -= oldest
