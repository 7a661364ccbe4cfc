"""Reactions and edits that change nothing, and reactions that were stored under an older rule."""

import pytest
from sqlalchemy import insert, select

from app.core.database import Database, UnitOfWork
from app.models import Reaction, Room
from app.schemas.reactions import AddReaction, RemoveReaction
from app.services import messages, reactions
from app.services.access import Membership
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, user_named

BARE, COMPLETE = "\u2764", "\u2764\ufe0f"


@pytest.fixture
async def ann(database: Database) -> Membership:
    """The author of the only message of a room."""
    caller = await user_named(database, "ann")
    member = await member_of(database, caller, await room_of(database, caller))
    await say(Ledger(database), member, "one")
    return member


def store(db: UnitOfWork, member: Membership, *emojis: str) -> None:
    """What an earlier version stored."""
    db.execute(
        insert(Reaction),
        [
            {"room_id": member.room_id, "message_id": 1, "user_id": member.user_id, "emoji": one, "seq": seq}
            for seq, one in enumerate(emojis)
        ],
    )


async def stored(database: Database) -> set[str]:
    return await database.read(lambda db: set(db.scalars(select(Reaction.emoji))))


async def last_seq(database: Database) -> int | None:
    return await database.read(lambda db: db.scalar(select(Room.last_seq)))


def test_an_emoji_that_lacks_selectors_is_completed() -> None:
    command = AddReaction(type="reaction.add", id=1, emoji=BARE)
    assert command.emoji == COMPLETE
    assert RemoveReaction(type="reaction.remove", id=1, emoji=BARE).emoji == BARE, (
        "it may be stored like this"
    )


@pytest.mark.parametrize("given", [BARE, COMPLETE])
async def test_a_reaction_is_removed_in_any_form(database: Database, ann: Membership, given: str) -> None:
    await database.write(reactions.add, ann, 1, COMPLETE)
    await database.write(reactions.remove, ann, 1, given)
    assert await stored(database) == set()


@pytest.mark.parametrize("old", [BARE, ":thumbsup:", "👍👍"])
async def test_what_an_earlier_version_stored_can_be_removed(
    database: Database, ann: Membership, old: str
) -> None:
    await database.write(store, ann, old, "👍")
    await database.write(reactions.remove, ann, 1, old)
    assert await stored(database) == {"👍"}


async def test_of_two_stored_forms_the_one_that_is_named_is_removed(
    database: Database, ann: Membership
) -> None:
    await database.write(store, ann, BARE, COMPLETE)
    await database.write(reactions.remove, ann, 1, BARE)
    assert await stored(database) == {COMPLETE}


async def test_adding_an_emoji_that_is_stored_in_another_form_changes_nothing(
    database: Database, ann: Membership
) -> None:
    await database.write(store, ann, BARE)
    before = await last_seq(database)
    await database.write(reactions.add, ann, 1, COMPLETE)
    assert await last_seq(database) == before
    assert await stored(database) == {BARE}


async def test_editing_to_the_same_text_takes_no_number(database: Database, ann: Membership) -> None:
    before = await last_seq(database)
    unchanged = await database.write(messages.edit, ann, 1, "one")
    assert await last_seq(database) == before
    assert "edited_at" not in unchanged
    edited = await database.write(messages.edit, ann, 1, "two")
    again = await database.write(messages.edit, ann, 1, "two")
    assert again == edited
    assert edited["changed_seq"] == await last_seq(database)
