"""Group commit of messages: drafts that arrive while a transaction is running go together in the next one."""

import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy.exc import IntegrityError

from app.core.batching import Batcher
from app.core.database import Database, DatabaseUnavailable, Unknown
from app.core.errors import AppError
from app.schemas.messages import MessageDraft
from app.services import access, members
from app.services.access import Membership
from app.services.callers import Caller
from app.services.ledger.numbering import Draft, Outcome, Posted, ReplyToNothing, record


class Ledger:
    """Takes drafts from sockets and from REST alike."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batcher: Batcher[Draft, Posted | AppError] = Batcher(self._write, _may_retry)

    def submit(self, draft: Draft, answer: Callable[[Outcome], None]) -> None:
        """Store a draft. Drafts are numbered in the order they are submitted.

        `answer` is called once, in the event loop, after the commit.
        """
        self._batcher.submit(draft, answer)

    async def admit(self, who: Caller, room_id: int, reply_to: int | None) -> Membership:
        """The membership of a caller who is about to send a message; a caller who has none joins.

        Raises RoomNotFound, and ReplyToNothing before it joins: only a message that is accepted makes a member.
        """
        room = await access.room_view(self._database, who, room_id)
        if room.member is not None:
            return room.member
        # This cannot be a retry: a user who has not joined has sent nothing.
        if reply_to is not None and reply_to > room.last_message_id:
            raise ReplyToNothing
        return await self._database.write(members.enter, who, room_id)

    async def post(self, member: Membership, draft: MessageDraft) -> Posted:
        """Store a draft. Raises ReplyToNothing, RoomNotFound, DatabaseUnavailable, Unknown."""
        answer: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            if answer.done():
                return
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        room_id, sender_id, sender = member.room_id, member.user_id, member.username
        self.submit(Draft(room_id, sender_id, sender, draft.content, draft.client_id, draft.reply_to), settle)
        return await answer

    async def drain(self) -> None:
        """Return when every draft submitted so far is answered."""
        await self._batcher.drain()

    async def _write(self, drafts: Sequence[Draft]) -> Sequence[Posted | AppError]:
        """Retries are rare, so originals are looked for only once the database reports a duplicate key."""
        try:
            return await self._database.write(record, drafts)
        except IntegrityError:
            return await self._database.write(record, drafts, may_be_retries=True)
        except Unknown:
            if any(draft.client_id is None for draft in drafts):
                raise
            try:  # every draft can be recognised, so it may go again; if that fails too, its outcome stays unknown
                return await self._database.write(record, drafts, may_be_retries=True)
            except DatabaseUnavailable:
                raise Unknown from None


def _may_retry(draft: Draft, error: Exception) -> bool:
    """After a failed COMMIT the outcome is unknown; only a draft that can be recognised may go again."""
    if isinstance(error, DatabaseUnavailable):
        return False
    return not isinstance(error, Unknown) or draft.client_id is not None
