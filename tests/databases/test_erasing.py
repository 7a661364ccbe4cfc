"""What is edited away or taken back is gone from the disk: from the database file, and from its log."""

import asyncio
import time
from pathlib import Path

from app.core.config import Settings
from app.core.database import Database
from app.core.database.secure_delete import WalTruncator
from tests.support.people import sign_up
from tests.support.server import ChatServer

LONG = " and so on, at length" * 300
"""Long texts have pages of their own; short ones share theirs."""


def where(folder: Path, word: str) -> list[str]:
    """The files that hold this word."""
    return [path.name for path in sorted(folder.iterdir()) if word.encode() in path.read_bytes()]


async def vanishes(folder: Path, *words: str) -> None:
    async with asyncio.timeout(10):
        while any(where(folder, word) for word in words):
            await asyncio.sleep(0.05)


async def test_texts_that_are_gone_are_gone_from_every_file(own_server: ChatServer) -> None:
    """Sixty messages, long and short; two thirds of them edited or taken back in a wild order."""
    ann = await sign_up(own_server, "ann")
    room = (await ann.http.post("/api/rooms", json={"name": "Secrets"})).json()["id"]
    folder = own_server.folder
    words = [f"secret-{number:03}-of-ann" for number in range(60)]
    async with ann.enters(room) as seat:
        for number, word in enumerate(words):
            await seat.says(word + (LONG if number % 4 == 0 else ""))
        for _ in words:
            await seat.hears("message")
        assert all(where(folder, word) for word in words), "this test can see what is on the disk"
        wild = sorted(range(60), key=lambda number: number * 37 % 61)
        for number in wild[:20]:
            await seat.does(
                "message.edit", id=number + 1, content="nothing to see" * (1 + number % 3), ref=number
            )
            await seat.hears("ack", ref=number)
        for number in wild[20:40]:
            await seat.does("message.delete", id=number + 1, ref=number)
            await seat.hears("ack", ref=number)
        await vanishes(folder, *(words[number] for number in wild[:40]))
        assert all(where(folder, words[number]) for number in wild[40:]), "the others are still there"
    await ann.http.aclose()


async def test_what_was_there_before_an_edit_is_gone(own_server: ChatServer) -> None:
    ann = await sign_up(own_server, "ann")
    room = (await ann.http.post("/api/rooms", json={"name": "Drafts"})).json()["id"]
    await ann.http.post(f"/api/messages/{room}", json={"content": "a first thought"})
    await ann.http.patch(f"/api/messages/{room}/1", json={"content": "a second thought"})
    await vanishes(own_server.folder, "a first thought")
    await ann.http.aclose()


async def test_it_is_gone_although_the_talk_goes_on_and_people_read(own_server: ChatServer) -> None:
    ann = await sign_up(own_server, "ann")
    room = (await ann.http.post("/api/rooms", json={"name": "Busy"})).json()["id"]
    talk_is_over = asyncio.Event()

    async def goes_on() -> None:
        while not talk_is_over.is_set():
            await ann.http.post(f"/api/messages/{room}", json={"content": "blah"})
            await ann.history(room)

    talk = asyncio.gather(*(goes_on() for _ in range(3)))
    await asyncio.sleep(0)
    sent = await ann.http.post(f"/api/messages/{room}", json={"content": "a slip of the tongue"})
    await ann.http.delete(f"/api/messages/{room}/{sent.json()['id']}")
    await vanishes(own_server.folder, "a slip of the tongue")
    talk_is_over.set()
    await talk
    await ann.http.aclose()


async def test_what_a_killed_server_had_no_time_for_is_erased_at_the_next_start(
    own_server: ChatServer,
) -> None:
    ann = await sign_up(own_server, "ann")
    room = (await ann.http.post("/api/rooms", json={"name": "Hasty"})).json()["id"]
    await ann.http.post(f"/api/messages/{room}", json={"content": "a slip of the tongue"})
    await ann.http.delete(f"/api/messages/{room}/1")
    own_server.kill()
    await asyncio.to_thread(own_server.start)
    assert where(own_server.folder, "a slip of the tongue") == []
    await ann.http.aclose()


async def test_a_reader_who_is_in_the_way_holds_nobody_up_for_long(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'chat.db'}")
    database = Database(settings.url, pool_size=2)
    with database.writer.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
        connection.commit()
    truncator = WalTruncator(str(settings.url.database), database._writers)
    with database.reader.connect() as reader:
        reader.exec_driver_sql("SELECT * FROM t")
        await database.write(lambda db: db.connection().exec_driver_sql("INSERT INTO t VALUES (1)"))
        start = time.monotonic()
        assert not truncator.run(), "it has to come again"
        assert time.monotonic() - start < 2
    assert truncator.run()
    assert (tmp_path / "chat.db-wal").stat().st_size == 0
    database.close()
