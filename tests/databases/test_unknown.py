"""An error of COMMIT means «unknown»: stored or not, each message is there once in the end, and nobody is misled."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from app.core.database import Database, Unknown
from app.schemas.messages import MessageObject
from app.services import messages
from app.services.access import Membership
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, somebody

Fault = Callable[[Connection], None]


def broken() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))


def lost_on_the_way(_connection: Connection) -> None:
    """The COMMIT never arrived."""
    raise broken()


def answer_lost(connection: Connection) -> None:
    """It was carried out, and the word of it got lost."""
    connection.connection.commit()
    raise broken()


@pytest.fixture(params=[lost_on_the_way, answer_lost], ids=["never arrived", "was carried out"])
def fault(request: pytest.FixtureRequest) -> Fault:
    chosen: Fault = request.param
    return chosen


async def prepared(database: Database) -> tuple[Membership, Ledger]:
    ann = await somebody(database, "ann")
    return await member_of(database, ann, await room_of(database, ann)), Ledger(database)


def break_the_next_commit(database: Database, fault: Fault) -> None:
    event.listen(database.writer, "commit", fault, once=True)


async def stored(database: Database, member: Membership) -> list[MessageObject]:
    reader = await somebody(database, "reader")
    return await database.read(messages.page, reader, member.room_id, None, None, 50)


async def test_with_a_client_id_it_is_stored_once_and_its_sender_hears_its_number(
    database: Database, fault: Fault
) -> None:
    ann, ledger = await prepared(database)
    break_the_next_commit(database, fault)
    posted = (await say(ledger, ann, "hi", client_id="c1"))[0]
    assert posted.message["id"] == 1
    assert [message["message"] for message in await stored(database, ann)] == ["hi"]


async def test_without_one_its_sender_is_told_that_nobody_knows(database: Database, fault: Fault) -> None:
    ann, ledger = await prepared(database)
    break_the_next_commit(database, fault)
    with pytest.raises(Unknown):
        await say(ledger, ann, "hi")
    there = [message["message"] for message in await stored(database, ann)]
    assert there == (["hi"] if fault is answer_lost else [])


async def test_the_next_message_takes_the_next_number(database: Database, fault: Fault) -> None:
    ann, ledger = await prepared(database)
    break_the_next_commit(database, fault)
    await say(ledger, ann, "first", client_id="c1")
    await say(ledger, ann, "second")
    there = await stored(database, ann)
    assert [(message["id"], message["message"]) for message in there] == [(1, "first"), (2, "second")]
