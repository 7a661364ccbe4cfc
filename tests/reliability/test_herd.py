"""Fifty sockets that reconnect at once receive exactly the events they missed, while other users keep sending."""

from pathlib import Path

from tests.reliability.herd import Herd, measure


async def test_fifty_sockets_that_reconnect_at_once_miss_nothing_and_get_nothing_twice(
    tmp_path: Path,
) -> None:
    herd = Herd(sockets=50, behind=300, senders=5, every=0.05, seconds=0.5)
    result = await measure(herd, tmp_path)
    assert len(result.caught_up) == herd.sockets
    assert result.missed == result.expected, "a socket missed a message or received one twice"
    assert min(result.missed) >= herd.behind
    assert result.before, "no message was sent before the drop"
    assert result.during, "no message was sent during the reconnect"
