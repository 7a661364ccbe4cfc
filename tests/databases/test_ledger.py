"""Group commit on each database: order, retries, and refused drafts that leave no gap in the numbers."""

import asyncio

import pytest
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from app.core.database import Database
from app.schemas.messages import MessageDraft
from app.services import messages
from app.services.access import Membership, RoomNotFound
from app.services.ledger import Ledger, Posted, ReplyToNothing
from tests.databases.people import member_of, room_of, say, user_named


@pytest.fixture
async def ann(database: Database) -> Membership:
    caller = await user_named(database, "ann")
    return await member_of(database, caller, await room_of(database, caller))


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


async def stored_texts(database: Database, member: Membership) -> list[str]:
    """The contents of the room, oldest first. Checks that ids have no gaps."""
    caller = await user_named(database, f"reader of {member.room_id}")
    page = (await database.read(messages.page, caller, member.room_id, None, None, 200))[1]
    assert [message["id"] for message in page] == list(range(1, len(page) + 1))
    return [message["message"] for message in page]


async def test_messages_posted_concurrently_are_stored_in_the_order_of_their_calls(
    database: Database, ledger: Ledger, ann: Membership
) -> None:
    sent = [f"message {number}" for number in range(200)]
    posted = await say(ledger, ann, *sent)
    assert [one.message["id"] for one in posted] == list(range(1, 201))
    assert await stored_texts(database, ann) == sent


async def test_a_draft_that_the_database_rejects_fails_alone_and_leaves_no_gap(
    database: Database, ledger: Ledger, ann: Membership
) -> None:
    """The draft violates a foreign key: its sender does not exist, which authentication normally rules out."""
    missing_user = Membership(ann.room_id, 999_999, "missing", False, ann.epoch)
    outcomes = await asyncio.gather(
        *(
            ledger.post(missing_user if number == 5 else ann, MessageDraft(content=f"message {number}"))
            for number in range(10)
        ),
        return_exceptions=True,
    )
    assert isinstance(outcomes[5], DBAPIError)
    assert all(isinstance(one, Posted) for number, one in enumerate(outcomes) if number != 5)
    assert await stored_texts(database, ann) == [f"message {number}" for number in range(10) if number != 5]


async def test_a_draft_that_the_ledger_refuses_consumes_no_number(
    database: Database, ledger: Ledger, ann: Membership
) -> None:
    missing_room = Membership(999_999, ann.user_id, ann.username, False, ann.epoch)
    first, missing, unanswerable, last = await asyncio.gather(
        ledger.post(ann, MessageDraft(content="first")),
        ledger.post(missing_room, MessageDraft(content="in a missing room")),
        ledger.post(ann, MessageDraft(content="reply to a missing message", reply_to=7)),
        ledger.post(ann, MessageDraft(content="last", reply_to=1)),
        return_exceptions=True,
    )
    assert isinstance(missing, RoomNotFound)
    assert isinstance(unanswerable, ReplyToNothing)
    assert isinstance(first, Posted)
    assert isinstance(last, Posted)
    assert (first.message["id"], last.message["id"]) == (1, 2)
    assert last.message["reply_to"] == 1


async def test_a_hundred_concurrent_posts_with_one_client_id_store_one_message(
    database: Database, ledger: Ledger, ann: Membership
) -> None:
    posted = await say(ledger, ann, *["again"] * 100, client_id="c1")
    assert {one.message["id"] for one in posted} == {1}
    assert [one.duplicate for one in posted] == [False] + [True] * 99
    again = (await say(ledger, ann, "something else", client_id="c1"))[0]
    assert (again.duplicate, again.message) == (True, posted[0].message), (
        "the retry did not return the original message"
    )
    assert await stored_texts(database, ann) == ["again"]


async def test_retries_in_one_batch_with_new_messages_return_their_originals(
    database: Database, ledger: Ledger, ann: Membership
) -> None:
    await asyncio.gather(
        *(say(ledger, ann, f"old {number}", client_id=f"{number}") for number in range(0, 40, 2))
    )
    mixed = await asyncio.gather(
        *(say(ledger, ann, f"new {number}", client_id=f"{number}") for number in range(40))
    )
    for number, (one,) in enumerate(mixed):
        assert one.duplicate == (number % 2 == 0)
        assert one.message["message"] == f"{'new' if number % 2 else 'old'} {number}"
    assert len(await stored_texts(database, ann)) == 40


SIMILAR_IDS = ["a", "A", "á", "ａ", "a\u0301", "a b", "a  b", "ß", "ss", "🙂", "🙃", "7", "07"]  # noqa: RUF001


async def test_client_ids_are_compared_exactly(ledger: Ledger, ann: Membership) -> None:
    """Databases differ in their default collations; client ids must not depend on them."""
    for number, client_id in enumerate(SIMILAR_IDS, 1):
        posted = (await say(ledger, ann, "new", client_id=client_id))[0]
        assert (posted.duplicate, posted.message["id"]) == (False, number), client_id
    for number, client_id in enumerate(SIMILAR_IDS, 1):
        posted = (await say(ledger, ann, "a retry", client_id=client_id))[0]
        assert (posted.duplicate, posted.message["id"]) == (True, number)
        assert posted.message["client_id"] == client_id


@pytest.mark.parametrize("padded", [" a", "a ", "a\u00a0", ""])
def test_a_client_id_with_surrounding_white_space_or_without_a_character_is_invalid(padded: str) -> None:
    """MariaDB ignores trailing spaces in comparisons and would confuse two ids."""
    with pytest.raises(ValidationError):
        MessageDraft(content="hi", client_id=padded)


async def test_two_users_may_use_the_same_client_id(
    database: Database, ledger: Ledger, ann: Membership
) -> None:
    bob = await member_of(database, await user_named(database, "bob"), ann.room_id)
    mine, theirs = (
        (await say(ledger, ann, "mine", client_id="c1"))[0],
        (await say(ledger, bob, "theirs", client_id="c1"))[0],
    )
    assert (mine.duplicate, theirs.duplicate) == (False, False)
