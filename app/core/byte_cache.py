"""What was made before and may be wanted again, within a bound of bytes; what nobody asked for longest goes first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

OVERHEAD = 256
"""Bytes that keeping something takes, however short it is."""


class ByteLru(Generic[K, V]):
    def __init__(self, most_bytes: int, largest: int) -> None:
        """What is larger than `largest` bytes is not kept."""
        self._most = most_bytes
        self._largest = largest
        self._things: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: K) -> V | None:
        """What was put there last, if it is still here."""
        found = self._things.get(key)
        if found is None:
            return None
        self._things.move_to_end(key)
        return found[0]

    def put(self, key: K, thing: V, size: int) -> None:
        """Keep something of so many bytes in place of what was there."""
        if old := self._things.pop(key, None):
            self._bytes -= old[1]
        if size > self._largest:
            return
        self._things[key] = thing, size + OVERHEAD
        self._bytes += size + OVERHEAD
        while self._bytes > self._most:
            _, (_, oldest) = self._things.popitem(last=False)
            self._bytes -= oldest
