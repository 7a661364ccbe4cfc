"""Group commit of messages: drafts that arrive while a transaction is running go together in the next one."""

import asyncio
from collections.abc import Callable, Sequence

from app.core.batching import Batcher
from app.core.database import Database, DatabaseUnavailable
from app.core.errors import AppError
from app.schemas.messages import MessageDraft
from app.services import access, members
from app.services.access import Membership
from app.services.callers import Caller
from app.services.ledger.locked_rooms import DraftBatcher, LockedRoom, may_retry, write_once
from app.services.ledger.numbering import Draft, Outcome, Posted, ReplyToNothing, RoomLocked
from app.services.quotas import Quotas


class Ledger:
    """Takes drafts from sockets and from REST alike."""

    def __init__(self, database: Database, quotas: Quotas | None = None) -> None:
        """Without `quotas` there are none."""
        self._database = database
        self._quotas = quotas or Quotas()
        self._batcher: DraftBatcher = Batcher(self._write, may_retry, database.deadlines.begin)
        self._locked: dict[int, LockedRoom] = {}

    def submit(self, draft: Draft, answer: Callable[[Outcome], None]) -> None:
        """Store a draft. Drafts are numbered in the order they are submitted.

        `answer` is called once, in the event loop: after the commit, or at once if the sender may store no more. A
        draft that was stored before is answered as such even then.
        """
        refusal = self._quotas.refusal(draft.sender_id, draft.content)
        if refusal is not None:
            if draft.client_id is None:
                answer(refusal)
                return
            draft.refusal = refusal
        self._batcher.submit(draft, answer)

    async def admit(self, who: Caller, room_id: int, reply_to: int | None) -> Membership:
        """The membership of a caller who is about to send a message; a caller who has none joins.

        Raises RoomNotFound, and ReplyToNothing, DailyQuotaUsed and DiskNearlyFull before it joins: only a message that
        is accepted makes a member.
        """
        room = await access.room_view(self._database, who, room_id)
        if room.member is not None:
            return room.member
        # This cannot be a retry: a user who has not joined has sent nothing.
        if reply_to is not None and reply_to > room.last_message_id:
            raise ReplyToNothing
        self._quotas.check(who.user_id)
        return await self._database.write_in_turn(room_id, members.enter, who, room_id)

    async def post(self, member: Membership, draft: MessageDraft) -> Posted:
        """Store a draft. Raises ReplyToNothing, RoomNotFound, DailyQuotaUsed, DiskNearlyFull, DatabaseUnavailable,
        Unknown."""
        answer: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            if answer.done():
                return
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        room_id, sender_id, sender = member.room_id, member.user_id, member.username
        who = room_id, sender_id, sender
        self.submit(Draft(*who, draft.content, draft.client_id, draft.reply_to, member.epoch), settle)
        return await answer

    async def drain(self) -> None:
        """Return when every draft submitted so far is answered."""
        await self._batcher.drain()
        for room in list(self._locked.values()):
            await room.batcher.drain()

    async def _write(self, drafts: Sequence[Draft]) -> Sequence[Posted | AppError | DraftBatcher]:
        """Drafts of locked rooms, and all that follow them there, are handed over: no other room waits for them."""
        for room_id in [room_id for room_id, room in self._locked.items() if room.is_free]:
            del self._locked[room_id]
        if not self._locked:
            return self._part(drafts, await self._write_or_part(drafts))
        going = [draft for draft in drafts if draft.room_id not in self._locked]
        outcomes = iter(self._part(going, await self._write_or_part(going)) if going else ())
        # While this was written a locked room may have become free, but what came after is still behind in this batch.
        going_rooms = {draft.room_id for draft in going}
        return [next(outcomes) if draft.room_id in going_rooms else self._apart(draft) for draft in drafts]

    async def _write_or_part(self, drafts: Sequence[Draft]) -> Sequence[Posted | AppError]:
        try:
            return await write_once(self._database.write, drafts)
        except DatabaseUnavailable as error:
            if not error.waited_for_lock:
                raise
            # A member of one of the rooms is locked; from now on each waits by itself.
            return [RoomLocked()] * len(drafts)

    def _part(
        self, drafts: Sequence[Draft], outcomes: Sequence[Posted | AppError]
    ) -> Sequence[Posted | AppError | DraftBatcher]:
        """The outcomes; those of drafts whose rooms turned out to be locked are handed over."""
        if not any(isinstance(outcome, RoomLocked) for outcome in outcomes):
            return outcomes
        return [
            self._apart(draft) if isinstance(outcome, RoomLocked) else outcome
            for draft, outcome in zip(drafts, outcomes, strict=True)
        ]

    def _apart(self, draft: Draft) -> DraftBatcher:
        room = self._locked.get(draft.room_id)
        if room is None:
            room = self._locked[draft.room_id] = LockedRoom(self._database, draft.room_id)
        return room.batcher
