"""An error of COMMIT leaves the outcome unknown: with a client id the message is stored once, without one the sender is
told so."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from app.core.database import Database, Unknown
from app.schemas.messages import MessageObject
from app.services import messages
from app.services.access import Membership
from app.services.ledger import Ledger
from tests.databases.people import member_of, room_of, say, user_named

Fault = Callable[[Connection], None]


def connection_error() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))


def commit_lost(_connection: Connection) -> None:
    """The COMMIT never reached the database."""
    raise connection_error()


def answer_lost(connection: Connection) -> None:
    """The database committed, but its answer was lost."""
    connection.connection.commit()
    raise connection_error()


@pytest.fixture(params=[commit_lost, answer_lost], ids=["commit lost", "answer lost"])
def fault(request: pytest.FixtureRequest) -> Fault:
    chosen: Fault = request.param
    return chosen


async def member_and_ledger(database: Database) -> tuple[Membership, Ledger]:
    ann = await user_named(database, "ann")
    return await member_of(database, ann, await room_of(database, ann)), Ledger(database)


def break_the_next_commit(database: Database, fault: Fault) -> None:
    event.listen(database.writer, "commit", fault, once=True)


async def stored(database: Database, member: Membership) -> list[MessageObject]:
    reader = await user_named(database, "reader")
    return (await database.read(messages.page, reader, member.room_id, None, None, 50))[1]


async def test_a_message_with_a_client_id_is_stored_once_and_its_sender_gets_its_number(
    database: Database, fault: Fault
) -> None:
    ann, ledger = await member_and_ledger(database)
    break_the_next_commit(database, fault)
    posted = (await say(ledger, ann, "hi", client_id="c1"))[0]
    assert posted.message["id"] == 1
    assert [message["message"] for message in await stored(database, ann)] == ["hi"]


async def test_the_sender_of_a_message_without_a_client_id_is_told_that_its_outcome_is_unknown(
    database: Database, fault: Fault
) -> None:
    ann, ledger = await member_and_ledger(database)
    break_the_next_commit(database, fault)
    with pytest.raises(Unknown):
        await say(ledger, ann, "hi")
    found = [message["message"] for message in await stored(database, ann)]
    assert found == (["hi"] if fault is answer_lost else [])


async def test_the_message_after_a_failed_commit_gets_the_next_number(
    database: Database, fault: Fault
) -> None:
    ann, ledger = await member_and_ledger(database)
    break_the_next_commit(database, fault)
    await say(ledger, ann, "first", client_id="c1")
    await say(ledger, ann, "second")
    found = await stored(database, ann)
    assert [(message["id"], message["message"]) for message in found] == [(1, "first"), (2, "second")]


async def test_a_retry_that_is_recognised_costs_no_connection(database: Database) -> None:
    """A duplicate key speaks of the data: the connection that reported it is as good as before."""
    ann, ledger = await member_and_ledger(database)
    await say(ledger, ann, "hi", client_id="c1")
    opened: list[object] = []
    event.listen(database.writer.pool, "connect", lambda connection, _: opened.append(connection))
    assert (await say(ledger, ann, "hi", client_id="c1"))[0].duplicate
    assert opened == []
