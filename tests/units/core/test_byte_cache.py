"""The cache stays within its bound in bytes and evicts the least recently used entry first."""

from app.core.byte_cache import ENTRY_OVERHEAD_BYTES, ByteLru

ROOM_FOR_TWO = 2 * (ENTRY_OVERHEAD_BYTES + 10)


def test_the_least_recently_used_entry_is_evicted() -> None:
    cache: ByteLru[str, int] = ByteLru(max_bytes=ROOM_FOR_TWO, max_entry_bytes=10)
    cache.put("a", 1, 10)
    cache.put("b", 2, 10)
    assert cache.get("a") == 1
    cache.put("c", 3, 10)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_a_replaced_value_is_counted_once() -> None:
    cache: ByteLru[str, int] = ByteLru(max_bytes=ROOM_FOR_TWO, max_entry_bytes=10)
    for number in range(100):
        cache.put("a", number, 10)
    cache.put("b", 1, 10)
    assert (cache.get("a"), cache.get("b")) == (99, 1)


def test_a_value_that_is_too_large_is_not_stored_and_evicts_only_its_own_entry() -> None:
    cache: ByteLru[str, int] = ByteLru(max_bytes=10_000, max_entry_bytes=10)
    cache.put("a", 1, 10)
    cache.put("b", 2, 11)
    assert (cache.get("a"), cache.get("b")) == (1, None)
    cache.put("a", 2, 11)
    assert cache.get("a") is None, "the old value is out of date"
