"""What counts as unread, and which message of a room is its last: on SQLite, PostgreSQL and MariaDB."""

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select, text, update

from app.core.database import Database, UnitOfWork, migrations
from app.models import DeletedMessage, Message, Room
from app.schemas.rooms import RoomOut
from app.services import messages, reactions, rooms
from app.services.access import Membership
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.receipts import Receipts
from tests.databases.people import member_of, room_of, say, submit_receipts, user_named


class Conversation:
    """A room in which Ann speaks and Bob listens."""

    def __init__(
        self, database: Database, room: int, ann: Membership, bob: Membership, reader: Caller
    ) -> None:
        self.database, self.room, self.ann, self.bob, self._reader = database, room, ann, bob, reader
        self._ledger, self._receipts = Ledger(database), Receipts(database)

    async def ann_says(self, *texts: str) -> None:
        for one in texts:
            await say(self._ledger, self.ann, one)

    async def bob_says(self, one: str) -> None:
        await say(self._ledger, self.bob, one)

    async def ann_deletes(self, *numbers: int) -> None:
        for number in numbers:
            await self.database.write(messages.delete, self.ann, number)

    async def bob_reads(self, number: int) -> None:
        await submit_receipts(self._receipts, (self.bob, number))

    async def as_bob_sees_it(self) -> tuple[int, str | None]:
        """The unread messages and the text of the last one, which the list and the room itself tell alike."""
        [body] = (await self.database.read(rooms.listing, self._reader)).bodies
        listed = RoomOut.model_validate_json(body)
        alone: RoomOut = await self.database.read(rooms.get, self._reader, self.room)
        assert listed == alone
        return listed.unread_count, listed.last_message.message if listed.last_message else None


@pytest.fixture
async def conversation(database: Database) -> Conversation:
    ann, bob = await user_named(database, "ann"), await user_named(database, "bob")
    room = await room_of(database, ann)
    hers, his = await member_of(database, ann, room), await member_of(database, bob, room)
    return Conversation(database, room, hers, his, bob)


async def test_messages_that_were_said_and_deleted_leave_nothing_to_read(conversation: Conversation) -> None:
    await conversation.ann_says("one", "two", "three")
    assert await conversation.as_bob_sees_it() == (3, "three")
    await conversation.ann_deletes(1, 2, 3)
    assert await conversation.as_bob_sees_it() == (0, None)


async def test_the_last_message_is_the_last_one_that_is_not_deleted(conversation: Conversation) -> None:
    await conversation.ann_says("one", "two", "three", "four")
    seen = []
    for number in (2, 4, 3, 1):
        await conversation.ann_deletes(number)
        seen.append(await conversation.as_bob_sees_it())
    assert seen == [(3, "four"), (2, "three"), (1, "one"), (0, None)]
    await conversation.ann_says("five")
    assert await conversation.as_bob_sees_it() == (1, "five")
    await conversation.ann_deletes(5)
    assert await conversation.as_bob_sees_it() == (0, None)


async def test_a_deleted_message_that_was_read_does_not_count_twice(conversation: Conversation) -> None:
    await conversation.ann_says("one", "two", "three", "four")
    await conversation.bob_reads(2)
    await conversation.ann_deletes(1, 3)
    assert await conversation.as_bob_sees_it() == (1, "four")
    await conversation.bob_reads(3)
    assert await conversation.as_bob_sees_it() == (1, "four")
    await conversation.bob_reads(4)
    assert await conversation.as_bob_sees_it() == (0, "four")


async def test_ones_own_messages_are_never_unread(conversation: Conversation) -> None:
    await conversation.ann_says("hello?")
    await conversation.bob_says("hello")
    assert await conversation.as_bob_sees_it() == (0, "hello")
    await conversation.ann_says("how are you?")
    assert await conversation.as_bob_sees_it() == (1, "how are you?")


async def test_edits_and_reactions_change_no_count(conversation: Conversation) -> None:
    await conversation.ann_says("one", "two")
    await conversation.database.write(messages.edit, conversation.ann, 2, "second")
    await conversation.database.write(reactions.add, conversation.ann, 1, "👍")
    assert await conversation.as_bob_sees_it() == (2, "second")


async def test_a_database_of_an_earlier_version_is_counted_by_the_migration(
    conversation: Conversation,
) -> None:
    await conversation.ann_says("one", "two", "three")
    await conversation.ann_deletes(1, 3)

    def forget(db: UnitOfWork) -> None:
        db.execute(text("DELETE FROM deleted_messages"))
        db.execute(update(Room).values(last_live_id=0))

    await conversation.database.write(forget)
    assert (await conversation.as_bob_sees_it())[1] is None
    with conversation.database.writer.begin() as connection:
        _migrate_again(connection)
    assert await conversation.as_bob_sees_it() == (1, "two")
    ids = await conversation.database.read(lambda db: list(db.scalars(select(DeletedMessage.id))))
    assert sorted(ids) == [1, 3]
    count = await conversation.database.read(
        lambda db: db.scalar(select(func.count()).where(Message.deleted_at.is_not(None)))
    )
    assert count == 2


def _migrate_again(connection: Connection) -> None:
    """Go back to the version before, and forward."""
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    config.attributes["connection"] = connection
    ours = next(
        script
        for script in ScriptDirectory.from_config(config).walk_revisions()
        if script.path.endswith("_deleted_messages.py")
    )
    command.downgrade(config, str(ours.down_revision))
    command.upgrade(config, "head")
