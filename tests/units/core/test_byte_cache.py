"""What is kept stays within its bound, and what nobody asked for longest goes first."""

from app.core.byte_cache import OVERHEAD, ByteLru


def test_what_was_asked_for_last_stays() -> None:
    kept: ByteLru[str, int] = ByteLru(most_bytes=2 * (OVERHEAD + 10), largest=10)
    kept.put("a", 1, 10)
    kept.put("b", 2, 10)
    assert kept.get("a") == 1
    kept.put("c", 3, 10)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)


def test_what_is_put_in_the_place_of_another_is_counted_once() -> None:
    kept: ByteLru[str, int] = ByteLru(most_bytes=2 * (OVERHEAD + 10), largest=10)
    for number in range(100):
        kept.put("a", number, 10)
    kept.put("b", 1, 10)
    assert (kept.get("a"), kept.get("b")) == (99, 1)


def test_what_is_too_large_is_not_kept_and_takes_the_place_of_nothing_else() -> None:
    kept: ByteLru[str, int] = ByteLru(most_bytes=10_000, largest=10)
    kept.put("a", 1, 10)
    kept.put("b", 2, 11)
    assert (kept.get("a"), kept.get("b")) == (1, None)
    kept.put("a", 2, 11)
    assert kept.get("a") is None, "what it says is no longer so"
