"""A room whose history may go backward, and a process that listens to it."""

from dataclasses import replace

import pytest

from app.core.database import Database
from app.services import epochs
from app.services.access import Membership
from app.services.callers import Caller
from app.services.ledger import Ledger
from tests.databases.epochs.steps import Listening
from tests.databases.people import member_of, room_of, say, user_named


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await user_named(database, "ann")


@pytest.fixture
async def member(database: Database, ann: Caller) -> Membership:
    """Ann in a room with five messages: the numbers 2 to 6."""
    member = await member_of(database, ann, await room_of(database, ann))
    await say(Ledger(database), member, *"12345")
    return member


@pytest.fixture
async def first(database: Database, member: Membership) -> str:
    """The epoch in which these were said."""
    return await database.read(epochs.name)


@pytest.fixture
async def listening(database: Database, member: Membership, first: str) -> Listening:
    return Listening(database, replace(member, epoch=first), 6)
