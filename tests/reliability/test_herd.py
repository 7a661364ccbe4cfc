"""Fifty sockets that come back at once catch up exactly, and the talk goes on."""

from pathlib import Path

from tests.reliability.herd import Herd, stampede


async def test_a_herd_that_comes_back_at_once_catches_up_exactly(tmp_path: Path) -> None:
    herd = Herd(sockets=50, behind=300, talkers=5, every=0.05, seconds=0.5)
    result = await stampede(herd, tmp_path)
    assert len(result.caught_up) == herd.sockets
    assert result.missed == result.expected, "every number since then was a message, and each came once"
    assert min(result.missed) >= herd.behind
    assert result.before, "they talked before"
    assert result.during, "and meanwhile"
