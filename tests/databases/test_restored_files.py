"""Backups of a SQLite file that are copied back with the operator's own means: clients find out by their epoch."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.people import Person, Seat, sign_up
from tests.support.server import ChatServer


class Site:
    """A server on a SQLite file, and backups of that file."""

    def __init__(self, folder: Path) -> None:
        self.server = ChatServer(folder)
        self.file = folder / "chat.db"
        self.mark = folder / "chat.db.epoch"

    def back_up(self, name: str) -> Path:
        """Copy the database as it is now, while the server runs."""
        copy = self.file.with_name(name)
        with closing(sqlite3.connect(self.file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return copy

    def put_back(self, copy: Path) -> None:
        """Stop the server, copy the backup over the file, start again."""
        self.server.stop()
        for name in ("chat.db-wal", "chat.db-shm"):
            self.file.with_name(name).unlink(missing_ok=True)
        self.file.write_bytes(copy.read_bytes())
        self.server.start()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    with made.server:
        yield made


@pytest.fixture
async def ann(site: Site) -> AsyncIterator[Person]:
    person = await sign_up(site.server, "ann")
    yield person
    await person.http.aclose()


async def new_room(ann: Person) -> int:
    room: int = (await ann.http.post("/api/rooms", json={"name": "Put back"})).json()["id"]
    return room


async def say(ann: Person, room: int, *texts: str) -> tuple[int, str]:
    """Send messages. Returns what a client has then: the last number and its epoch."""
    async with ann.enters(room) as seat:
        seq = seat.ready["seq"]
        for text in texts:
            await seat.says(text, ref=text)
            seq = (await seat.hears("ack", ref=text))["seq"]
        return seq, seat.ready["epoch"]


async def comes_back(ann: Person, room: int, has: tuple[int, str]) -> tuple[bool, list[str]]:
    """Whether the client has to discard what it has, and else the messages that it gets."""
    async with ann.enters(room, *has) as seat:
        synced = await seat.hears("synced")
        return synced["truncated"], texts_of(seat)


def texts_of(seat: Seat) -> list[str]:
    return [frame["message"] for frame in seat.heard if frame["type"] == "message"]


async def test_a_restart_stays_in_its_epoch_however_the_server_ended(site: Site, ann: Person) -> None:
    room = await new_room(ann)
    has = await say(ann, room, "one")
    site.server.kill()
    site.server.start()
    assert await say(ann, room, "two") == (has[0] + 1, has[1])
    site.server.stop()
    site.server.start()
    assert await say(ann, room, "three") == (has[0] + 2, has[1])


async def test_older_and_newer_backups_that_are_put_back_are_noticed(site: Site, ann: Person) -> None:
    room = await new_room(ann)
    early = await say(ann, room, "1", "2")
    older = site.back_up("older.db")
    middle = await say(ann, room, "3", "4")
    newer = site.back_up("newer.db")
    late = await say(ann, room, "5", "6")

    site.put_back(older)
    second = await say(ann, room, *"abcdef")  # the room overtakes what the clients have
    assert second[1] != early[1]
    assert await comes_back(ann, room, early) == (False, list("abcdef"))
    assert await comes_back(ann, room, middle) == (True, [])
    assert await comes_back(ann, room, late) == (True, [])

    site.put_back(newer)
    third = await say(ann, room, *"vwxyz")
    assert await comes_back(ann, room, middle) == (False, list("vwxyz"))
    assert await comes_back(ann, room, late) == (True, [])
    assert await comes_back(ann, room, second) == (True, [])

    site.put_back(older)
    fourth = await say(ann, room, *"ABCDEFGH")
    assert len({early[1], second[1], third[1], fourth[1]}) == 4
    assert await comes_back(ann, room, early) == (False, list("ABCDEFGH"))
    for has in (middle, late, second, third):
        assert await comes_back(ann, room, has) == (True, [])


async def test_a_file_without_its_mark_begins_a_new_epoch_which_costs_clients_nothing(
    site: Site, ann: Person
) -> None:
    room = await new_room(ann)
    has = await say(ann, room, "one")
    site.server.stop()
    site.mark.unlink()
    site.server.start()
    assert (await say(ann, room, "two"))[1] != has[1]
    assert await comes_back(ann, room, has) == (False, ["two"])
