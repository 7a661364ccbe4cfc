"""Catching up over REST: however it is divided into answers, the answers together are what changed."""

from itertools import pairwise

import pytest

from app.core.database import Database
from app.services import changes, messages, reactions
from app.services.callers import Caller
from app.services.changes import Changes
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, somebody

MESSAGES = 12


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await somebody(database, "ann")


@pytest.fixture
async def room(database: Database, ann: Caller) -> int:
    """A room in which all has happened that can: what was said early was changed late, or is gone."""
    number = await room_of(database, ann)
    owner, ledger = await member_of(database, ann, number), Ledger(database)
    await say(ledger, owner, *(f"{word} " * word for word in range(1, MESSAGES + 1)))
    for name in ("bob", "carol"):
        guest = await member_of(database, await somebody(database, name), number)
        await say(ledger, guest, f"I am {name}")
        await database.write(reactions.add, guest, 2, "👍")
    for message_id in (9, 1, 5):
        await database.write(messages.edit, owner, message_id, f"changed {message_id}")
    for message_id in (3, 10, 4, 2):
        await database.write(messages.delete, owner, message_id)
    return number


async def answers(database: Database, who: Caller, room: int, limit: int = 1000) -> list[Changes]:
    """One after the other, as a client asks for them."""
    found = [await database.read(changes.visible_since, who, room, 0, limit)]
    while found[-1].truncated:
        found.append(await database.read(changes.visible_since, who, room, found[-1].seq, limit))
    return found


def bodies(found: list[Changes]) -> list[bytes]:
    return [body for answer in found for body in answer.bodies]


@pytest.mark.parametrize("page", [1, 3, 100])
@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
async def test_the_answers_together_are_all_that_changed(
    database: Database, ann: Caller, room: int, page: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await database.read(changes.since, room, 0, 1000)
    monkeypatch.setattr(changes, "PAGE", page)
    found = await answers(database, ann, room, limit)
    assert bodies(found) == whole.bodies
    assert all(len(answer.bodies) <= limit for answer in found)
    assert all(one.seq < next_one.seq for one, next_one in pairwise(found))
    assert found[-1].seq == whole.seq


@pytest.mark.parametrize("most", [1, 150, 400, 1500])
async def test_an_answer_is_full_and_not_overfull(
    database: Database, ann: Caller, room: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Except that one event fits always: else there would be no way past it."""
    whole = await database.read(changes.since, room, 0, 1000)
    monkeypatch.setattr(changes, "ANSWER_BYTES", most)
    monkeypatch.setattr(changes, "PAGE", 4)
    found = await answers(database, ann, room)
    assert bodies(found) == whole.bodies
    for answer, next_one in pairwise(found):
        size = sum(map(len, answer.bodies))
        assert size <= most or len(answer.bodies) == 1
        assert size + len(next_one.bodies[0]) > most


async def test_who_knows_more_than_the_room_is_told_to_begin_anew(
    database: Database, ann: Caller, room: int
) -> None:
    """A backup was restored."""
    head = (await database.read(changes.since, room, 0, 1000)).seq
    found = await database.read(changes.visible_since, ann, room, head + 5, 1000)
    assert found == Changes([], [], head, truncated=True)
