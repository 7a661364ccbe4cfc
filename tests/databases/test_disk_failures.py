"""A SQLite file that cannot grow: writes are refused truly, reads go on, and it heals by itself."""

import json
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.people import sign_up
from tests.support.server import ChatServer, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")


@contextmanager
def no_more_bytes(server: ChatServer) -> Iterator[None]:
    """Let no file of the server grow beyond the size that its write-ahead log has now."""
    assert server.process is not None
    size = max((server.folder / "chat.db-wal").stat().st_size, 1)
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_unavailable_not_unknown_and_is_logged_once(tmp_path: Path) -> None:
    """Commits that write nothing succeed meanwhile, and do not count as recovery."""
    with ChatServer(tmp_path) as server:
        ann = await sign_up(server, "ann")
        async with ann.enters(1) as seat:
            await seat.says("before", client_id="c0")
            await seat.hears("message")
            with no_more_bytes(server):
                for number in range(3):
                    await seat.does("message", content="x" * 8000, ref=number)
                    assert (await seat.hears("error", ref=number))["code"] == "database_unavailable"
                    await seat.does("read", id=1, ref=f"nothing to write {number}")
                    await seat.hears("ack", ref=f"nothing to write {number}")
                assert [message["message"] for message in await ann.history(1)] == ["before"]
            await seat.says("after", client_id="c1")
            assert (await seat.hears("message", client_id="c1"))["id"] == 2
        await ann.http.aclose()
        lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
        reports = [line for line in lines if line["event"] == "database.disk_failed"]
        wait_until(lambda: len(reports) == 1, "one report")
        assert reports[0]["path"].endswith("chat.db")
        assert reports[0]["free_bytes"] > 0
