"""Whatever comes in, the server has nothing to complain about: a refusal is no error of ours."""

from collections.abc import Iterator

import pytest

from tests.support.server import ChatServer


@pytest.fixture(autouse=True)
def nothing_breaks(server: ChatServer) -> Iterator[None]:
    """No error and no traceback in the log, however politely the client was answered."""
    before = len(server.log.read_text())
    yield
    said = server.log.read_text()[before:]
    assert '"level": "error"' not in said, said
    assert "Traceback" not in said, said
