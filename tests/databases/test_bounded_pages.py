"""Pages are cut by bytes, and what a message lists of its reactions is bounded, on every database."""

from functools import partial

import orjson
import pytest
from sqlalchemy import insert

from app.core.database import Database, UnitOfWork
from app.models import Reaction
from app.services import changes, messages, reactions, rooms
from app.services.callers import Caller
from app.services.epochs import CurrentEpoch
from app.services.ledger import Ledger, listed_reactions
from app.websocket.catch_up.pages import Pages
from tests.databases.people import member_of, room_of, say, until_done, user_named
from tests.databases.test_catch_up_pages import all_after, bodies
from tests.databases.test_queries import counted

LONG = "x" + "\x01" * 7_999
MANY = 30
PREVIEW = 200


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await user_named(database, "ann")


@pytest.fixture
async def room(database: Database, ann: Caller) -> int:
    number = await room_of(database, ann)
    member = await member_of(database, ann, number)
    for _ in range(MANY):
        await say(Ledger(database), member, LONG)
    return number


def react(db: UnitOfWork, room: int, message: int, emoji: str, user_ids: list[int]) -> None:
    """Write reactions, as many as a test needs."""
    keys = {"room_id": room, "message_id": message, "emoji": emoji}
    db.execute(insert(Reaction), [keys | {"user_id": one, "seq": 100 + one} for one in user_ids])


async def test_the_pages_of_a_catch_up_are_cut_by_bytes_and_together_contain_everything(
    database: Database, room: int
) -> None:
    made = [orjson.loads(body)["id"] for page in await walked(database, room, 1) for body in page]
    assert made == list(range(1, MANY + 1))
    for page in await walked(database, room, 0):
        assert sum(map(len, page)) <= changes.PAGE_BYTES


async def walked(database: Database, room: int, since: int) -> list[list[bytes]]:
    pages = Pages(database, 1000, CurrentEpoch(database))
    return [bodies(page) for page in await all_after(pages, room, since, MANY + 1)]


async def test_pages_that_are_cut_by_bytes_soon_end_at_the_same_numbers(
    database: Database, room: int
) -> None:
    pages = Pages(database, 1000, CurrentEpoch(database))
    ends = [{page.seq for page in await all_after(pages, room, since, MANY + 1)} for since in (1, 2, 3)]
    assert {10, 20, 30} <= ends[0] & ends[1] & ends[2]


async def test_a_preview_is_the_beginning_of_the_text(database: Database, ann: Caller) -> None:
    number = await room_of(database, ann)
    text = "😀é" * PREVIEW
    await say(Ledger(database), await member_of(database, ann, number), text)
    found = await until_done(partial(database.read, rooms.get, ann, number))
    assert found.last_message is not None
    assert found.last_message.message == text[:PREVIEW]


async def test_of_an_emoji_the_first_users_are_listed_and_all_are_counted(
    database: Database, ann: Caller, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_reactions, "MAX_USERS", 3)
    member = await member_of(database, ann, room)
    others = [await user_named(database, f"user {number}") for number in range(5)]
    ids = [other.user_id for other in others]
    await database.write(react, room, 1, "🎉", ids[:2])
    await database.write(react, room, 2, "👍", ids)
    for message in (1, 2):
        await database.write(messages.edit, member, message, "changed")
    (_, found) = await database.read(messages.page, ann, room, None, 0, 2)
    assert [message["reactions"] for message in found] == [
        [{"emoji": "🎉", "users": ["user 0", "user 1"], "count": 2}],
        [{"emoji": "👍", "users": ["user 0", "user 1", "user 2"], "count": 5}],
    ]
    page = await database.read(reactions.page, ann, room, 2, 100 + ids[1], "👍")
    assert [entry.user for entry in page.entries] == ["user 2", "user 3", "user 4"]
    assert not page.has_more


async def test_the_event_of_a_reaction_counts_the_users_of_its_emoji(
    database: Database, ann: Caller, room: int
) -> None:
    ben = await user_named(database, "ben")
    for who, act in ((ann, reactions.add), (ben, reactions.add), (ann, reactions.remove)):
        await database.write(act, await member_of(database, who, room), 1, "👍")
    (message,) = (await database.read(messages.page, ann, room, None, 0, 1))[1]
    assert message["reactions"] == [{"emoji": "👍", "users": ["ben"], "count": 1}]


async def test_reactions_are_read_only_as_far_as_the_answer_reaches(
    database: Database, ann: Caller, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of a page are read in portions; those behind its end never are."""
    monkeypatch.setattr(listed_reactions, "MAX_NAMES", 2)
    member = await member_of(database, ann, room)
    for message in (1, 2, 3):
        await database.write(react, room, message, "👍", [ann.user_id])
        await database.write(messages.edit, member, message, LONG[:-1])
    with counted(database) as whole:
        found = (await database.read(messages.page, ann, room, None, 0, 3))[1]
    assert [message["reactions"][0]["users"] for message in found] == [["ann"]] * 3
    monkeypatch.setattr(messages, "ANSWER_BYTES", 10_000)
    with counted(database) as cut:
        found = (await database.read(messages.page, ann, room, None, 0, 3))[1]
    assert [message["id"] for message in found] == [1]
    assert len(cut) < len(whole)


async def test_long_names_are_listed_up_to_a_number_of_bytes(
    database: Database, ann: Caller, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_reactions, "MAX_NAME_BYTES", len('"ann",'))
    ben = await user_named(database, "ben")
    for who in (ann, ben):
        await database.write(reactions.add, await member_of(database, who, room), 1, "👍")
    await database.write(reactions.add, await member_of(database, ann, room), 1, "🎉")
    (message,) = (await database.read(messages.page, ann, room, None, 0, 1))[1]
    assert message["reactions"] == [
        {"emoji": "👍", "users": ["ann"], "count": 2},
        {"emoji": "🎉", "users": [], "count": 1},
    ]
