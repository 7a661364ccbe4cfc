"""Who reads too slowly: a moment for those who show that they do read, and none if it is far too much."""

from typing import Any, cast

import pytest

from app.core.config import Settings
from app.schemas import close_codes
from app.schemas.close_codes import Close
from app.services.callers import Caller
from app.websocket.hub.registry import HARD_LIMIT_FACTOR, OVER_SECONDS, Peer, Registry

LIMIT = 1000


class Reader:
    """A connection for which so many bytes wait."""

    caller = Caller(1, "ann", "session", 0, 0)
    is_behind = False

    def __init__(self) -> None:
        self.waiting = 0
        self.code: int | None = None
        self.wire: Any = self

    def buffered(self) -> int:
        return self.waiting

    def close(self, why: Close) -> None:
        self.code = why.code


@pytest.fixture
def registry() -> Registry:
    return Registry(Settings(max_send_buffer_bytes=LIMIT))


@pytest.mark.parametrize(
    "waiting, after, code",
    [
        (LIMIT, 10 * OVER_SECONDS, None),
        (LIMIT + 1, OVER_SECONDS / 2, None),
        (LIMIT + 1, 2 * OVER_SECONDS, close_codes.TOO_SLOW.code),
        (HARD_LIMIT_FACTOR * LIMIT, OVER_SECONDS / 2, None),
        (HARD_LIMIT_FACTOR * LIMIT + 1, 0.0, close_codes.TOO_SLOW.code),
    ],
)
def test_who_is_over_the_limit_has_a_moment_within_bounds(
    registry: Registry, waiting: int, after: float, code: int | None
) -> None:
    reader = Reader()
    reader.waiting = waiting
    registry.fell_behind(cast(Peer, reader))
    registry.check_slow(100.0)
    if after:
        registry.check_slow(100.0 + after)
    assert reader.code == code


def test_what_was_a_moment_of_patience_ends_when_it_is_far_too_much(registry: Registry) -> None:
    reader = Reader()
    registry.fell_behind(cast(Peer, reader))
    for now, waiting in ((100.0, 2 * LIMIT), (100.1, (HARD_LIMIT_FACTOR + 1) * LIMIT)):
        assert reader.code is None
        reader.waiting = waiting
        registry.check_slow(now)
    assert reader.code == close_codes.TOO_SLOW.code
