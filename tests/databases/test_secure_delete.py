"""Text that was edited or deleted is erased from disk: from the database file and from its write-ahead log."""

import asyncio
import sqlite3
import time
from functools import partial
from pathlib import Path

from app.core.config import Settings
from app.core.database import Database
from app.core.database.secure_delete import WalTruncator
from tests.support.people import sign_up
from tests.support.server import ChatServer

LONG = " and so on, at length" * 300
"""Long texts occupy overflow pages of their own; short ones share a page."""


def files_containing(folder: Path, text: str) -> list[str]:
    return [path.name for path in sorted(folder.iterdir()) if text.encode() in path.read_bytes()]


async def are_erased(folder: Path, *texts: str) -> None:
    """Return when no file contains any of these texts. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while any(files_containing(folder, text) for text in texts):
            await asyncio.sleep(0.05)


async def test_edited_and_deleted_texts_are_erased_from_every_file(own_server: ChatServer) -> None:
    """Sixty messages, long and short; two thirds of them edited or deleted in a scattered order."""
    ann = await sign_up(own_server, "ann")
    room = (await ann.http.post("/api/rooms", json={"name": "Secrets"})).json()["id"]
    folder = own_server.folder
    secrets = [f"secret-{number:03}-of-ann" for number in range(60)]
    async with ann.enters(room) as seat:
        for number, secret in enumerate(secrets):
            await seat.says(secret + (LONG if number % 4 == 0 else ""))
        for _ in secrets:
            await seat.hears("message")
        assert all(files_containing(folder, secret) for secret in secrets), (
            "this test cannot find stored texts on disk"
        )
        scattered = sorted(range(60), key=lambda number: number * 37 % 61)
        for number in scattered[:20]:
            await seat.does(
                "message.edit", id=number + 1, content="nothing to see" * (1 + number % 3), ref=number
            )
            await seat.hears("ack", ref=number)
        for number in scattered[20:40]:
            await seat.does("message.delete", id=number + 1, ref=number)
            await seat.hears("ack", ref=number)
        await are_erased(folder, *(secrets[number] for number in scattered[:40]))
        assert all(files_containing(folder, secrets[number]) for number in scattered[40:]), (
            "a message that was neither edited nor deleted is gone"
        )
    await ann.http.aclose()


async def test_the_text_before_an_edit_over_rest_is_erased(own_server: ChatServer) -> None:
    ann = await sign_up(own_server, "ann")
    room = (await ann.http.post("/api/rooms", json={"name": "Drafts"})).json()["id"]
    await ann.http.post(f"/api/messages/{room}", json={"content": "a first thought"})
    await ann.http.patch(f"/api/messages/{room}/1", json={"content": "a second thought"})
    await are_erased(own_server.folder, "a first thought")
    await ann.http.aclose()


async def test_a_deleted_text_is_erased_while_other_clients_write_and_read(own_server: ChatServer) -> None:
    ann = await sign_up(own_server, "ann")
    room = (await ann.http.post("/api/rooms", json={"name": "Busy"})).json()["id"]
    stop = asyncio.Event()

    async def write_and_read() -> None:
        while not stop.is_set():
            await ann.http.post(f"/api/messages/{room}", json={"content": "blah"})
            await ann.history(room)

    traffic = asyncio.gather(*(write_and_read() for _ in range(3)))
    await asyncio.sleep(0)
    sent = await ann.http.post(f"/api/messages/{room}", json={"content": "a slip of the tongue"})
    await ann.http.delete(f"/api/messages/{room}/{sent.json()['id']}")
    await are_erased(own_server.folder, "a slip of the tongue")
    stop.set()
    await traffic
    await ann.http.aclose()


async def test_a_text_deleted_just_before_a_kill_is_erased_at_the_next_start(own_server: ChatServer) -> None:
    ann = await sign_up(own_server, "ann")
    room = (await ann.http.post("/api/rooms", json={"name": "Hasty"})).json()["id"]
    await ann.http.post(f"/api/messages/{room}", json={"content": "a slip of the tongue"})
    await ann.http.delete(f"/api/messages/{room}/1")
    own_server.kill()
    await asyncio.to_thread(own_server.start)
    assert files_containing(own_server.folder, "a slip of the tongue") == []
    await ann.http.aclose()


async def test_truncating_the_log_gives_up_quickly_while_a_transaction_reads_from_it(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'chat.db'}")
    database = Database(settings.url, pool_size=2)
    with database.writer.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
        connection.commit()
    truncator = WalTruncator(partial(sqlite3.connect, tmp_path / "chat.db"), database._writers)
    with database.reader.connect() as reader:
        reader.exec_driver_sql("SELECT * FROM t")
        await database.write(lambda db: db.connection().exec_driver_sql("INSERT INTO t VALUES (1)"))
        start = time.monotonic()
        assert not truncator.run(), "truncated a log that a transaction reads from"
        assert time.monotonic() - start < 2
    assert truncator.run()
    assert (tmp_path / "chat.db-wal").stat().st_size == 0
    database.close()
