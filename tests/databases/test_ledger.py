"""Group commit on each database: duplicates, bad drafts and what a rollback leaves behind."""

import asyncio

import pytest
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from app.core.database import Database
from app.schemas.messages import MessageDraft
from app.services import messages
from app.services.access import Membership, RoomNotFound
from app.services.ledger import Ledger, Posted, ReplyToNothing
from tests.databases.people import member_of, room_of, say, somebody


@pytest.fixture
async def ann(database: Database) -> Membership:
    caller = await somebody(database, "ann")
    return await member_of(database, caller, await room_of(database, caller))


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


async def words(database: Database, member: Membership) -> list[str]:
    caller = await somebody(database, f"reader of {member.room_id}")
    page = await database.read(messages.page, caller, member.room_id, None, None, 200)
    assert [message["id"] for message in page] == list(range(1, len(page) + 1))
    return [message["message"] for message in page]


async def test_what_is_said_at_once_is_stored_in_its_order(
    database: Database, ledger: Ledger, ann: Membership
) -> None:
    said = [f"word {number}" for number in range(200)]
    posted = await say(ledger, ann, *said)
    assert [one.message["id"] for one in posted] == list(range(1, 201))
    assert await words(database, ann) == said


async def test_a_draft_that_the_database_refuses_fails_alone(
    database: Database, ledger: Ledger, ann: Membership
) -> None:
    """Here: of a user who is not there, which no edge would let through. It leaves no gap."""
    nobody = Membership(ann.room_id, 999_999, "nobody", may_moderate=False)
    outcomes = await asyncio.gather(
        *(
            ledger.post(nobody if number == 5 else ann, MessageDraft(content=f"word {number}"))
            for number in range(10)
        ),
        return_exceptions=True,
    )
    assert isinstance(outcomes[5], DBAPIError)
    assert all(isinstance(one, Posted) for number, one in enumerate(outcomes) if number != 5)
    assert await words(database, ann) == [f"word {number}" for number in range(10) if number != 5]


async def test_a_draft_that_we_refuse_takes_no_number(
    database: Database, ledger: Ledger, ann: Membership
) -> None:
    nowhere = Membership(999_999, ann.user_id, ann.username, may_moderate=False)
    first, missing, unanswerable, last = await asyncio.gather(
        ledger.post(ann, MessageDraft(content="first")),
        ledger.post(nowhere, MessageDraft(content="in no room")),
        ledger.post(ann, MessageDraft(content="to nothing", reply_to=7)),
        ledger.post(ann, MessageDraft(content="last", reply_to=1)),
        return_exceptions=True,
    )
    assert isinstance(missing, RoomNotFound)
    assert isinstance(unanswerable, ReplyToNothing)
    assert isinstance(first, Posted)
    assert isinstance(last, Posted)
    assert (first.message["id"], last.message["id"]) == (1, 2)
    assert last.message["reply_to"] == 1


async def test_a_hundred_sends_under_one_name_are_one_message(
    database: Database, ledger: Ledger, ann: Membership
) -> None:
    posted = await say(ledger, ann, *["again"] * 100, client_id="c1")
    assert {one.message["id"] for one in posted} == {1}
    assert [one.duplicate for one in posted] == [False] + [True] * 99
    again = (await say(ledger, ann, "something else", client_id="c1"))[0]
    assert (again.duplicate, again.message) == (True, posted[0].message), "the original, word for word"
    assert await words(database, ann) == ["again"]


async def test_retries_among_new_messages_find_their_originals(
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
    assert len(await words(database, ann)) == 40


ALMOST = ["a", "A", "á", "ａ", "a\u0301", "a b", "a  b", "ß", "ss", "🙂", "🙃", "7", "07"]  # noqa: RUF001


async def test_a_client_id_is_exact(ledger: Ledger, ann: Membership) -> None:
    """Databases disagree on whether two texts are the same; we do not."""
    for number, client_id in enumerate(ALMOST, 1):
        posted = (await say(ledger, ann, "new", client_id=client_id))[0]
        assert (posted.duplicate, posted.message["id"]) == (False, number), client_id
    for number, client_id in enumerate(ALMOST, 1):
        posted = (await say(ledger, ann, "a retry", client_id=client_id))[0]
        assert (posted.duplicate, posted.message["id"]) == (True, number)
        assert posted.message["client_id"] == client_id


@pytest.mark.parametrize("padded", [" a", "a ", "a\u00a0", ""])
def test_no_client_id_has_spaces_around_it(padded: str) -> None:
    """MariaDB would take it for another one's."""
    with pytest.raises(ValidationError):
        MessageDraft(content="hi", client_id=padded)


async def test_another_s_client_id_is_another(database: Database, ledger: Ledger, ann: Membership) -> None:
    bob = await member_of(database, await somebody(database, "bob"), ann.room_id)
    mine, theirs = (
        (await say(ledger, ann, "mine", client_id="c1"))[0],
        (await say(ledger, bob, "theirs", client_id="c1"))[0],
    )
    assert (mine.duplicate, theirs.duplicate) == (False, False)
