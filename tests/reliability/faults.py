"""Faults to plant in a server, to prove that the checker finds them. None of this is part of the product.

`PLANTED_FAULT=name` makes a forked server plant one before it starts.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import event

from app.core.database import Database, DatabaseUnavailable, UnitOfWork
from app.core.errors import AppError
from app.models import Member, Message
from app.schemas.messages import MessageObject
from app.services import changes, messages
from app.services import receipts as receipts_service
from app.services.access import Membership
from app.services.changes import Changes
from app.services.ledger import Draft, Ledger, locked_rooms
from app.services.ledger.numbering import record
from app.services.receipts import Receipt
from app.websocket.hub.channel import Channel
from app.websocket.transport import Payload

EARLY_SECONDS = 0.08
"""Between the premature action and the commit that it should have waited for."""


def every(number: int) -> Callable[[], bool]:
    """A function that returns true at every `number`-th call."""
    calls = itertools.count(1)
    return lambda: next(calls) % number == 0


def publish_before_commit() -> None:
    """Announcements of a transaction are published before its commit."""
    write = Database.write
    used: list[tuple[asyncio.AbstractEventLoop, Database]] = []

    async def remember(self: Database, *args: Any, **kwargs: Any) -> Any:
        used[:] = [(asyncio.get_running_loop(), self)]
        return await write(self, *args, **kwargs)

    @event.listens_for(UnitOfWork, "before_commit")
    def early(db: UnitOfWork) -> None:
        if used and (announced := db.announcements[:]):
            db.announcements.clear()
            loop, database = used[0]
            loop.call_soon_threadsafe(database._publish, announced)
            time.sleep(EARLY_SECONDS)

    Database.write = remember  # type: ignore[method-assign]


def ack_before_commit() -> None:
    """A message is acknowledged when it has its number, before it is committed."""

    async def write(self: Ledger, drafts: Sequence[Draft]) -> Any:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def work(db: UnitOfWork) -> None:
            results = record(db, drafts, may_be_retries=True)
            loop.call_soon_threadsafe(answer.set_result, results)
            time.sleep(EARLY_SECONDS)

        stored = loop.create_task(self._database.write(work))
        stored.add_done_callback(lambda _: None)
        return await answer

    Ledger._write = write  # type: ignore[method-assign]


def dropped_frame() -> None:
    """One listener misses an event."""
    deliver, is_due = Channel._deliver, every(6)

    def lose(self: Channel, span: range, seqs: Sequence[int], bodies: Sequence[bytes]) -> None:
        victim = next(iter(self._writes), None)
        if victim is None or not is_due():
            deliver(self, span, seqs, bodies)
            return
        write = self._writes.pop(victim)
        deliver(self, span, seqs, bodies)
        self._writes[victim] = write

    Channel._deliver = lose  # type: ignore[method-assign]


def swapped_pair() -> None:
    """One listener gets two things the wrong way round."""
    deliver, is_due = Channel._deliver, every(6)
    late: dict[Channel, tuple[Callable[[bytes], None], bytes]] = {}

    def swap(self: Channel, span: range, seqs: Sequence[int], bodies: Sequence[bytes]) -> None:
        victim = next(iter(self._writes), None)
        if victim is None or self in late or not is_due():
            deliver(self, span, seqs, bodies)
            if self in late:
                write, frames = late.pop(self)
                write(frames)
            return
        write = self._writes.pop(victim)
        deliver(self, span, seqs, bodies)
        self._writes[victim] = write
        late[self] = write, Payload(bodies).frames

    Channel._deliver = swap  # type: ignore[method-assign]


def duplicate_broadcast() -> None:
    """Every listener gets some events twice."""
    deliver, is_due = Channel._deliver, every(6)

    def twice(self: Channel, span: range, seqs: Sequence[int], bodies: Sequence[bytes]) -> None:
        deliver(self, span, seqs, bodies)
        if is_due():
            deliver(self, span, seqs, bodies)

    Channel._deliver = twice  # type: ignore[method-assign]


def double_insert() -> None:
    """A message is stored a second time, as if a retry were not recognised."""
    is_due = every(5)

    def again(db: UnitOfWork, drafts: Sequence[Draft], **how: bool) -> Any:
        more = [replace(drafts[0], client_id=None)] if is_due() else []
        return record(db, [*drafts, *more], **how)[: len(drafts)]

    vars(locked_rooms)["record"] = again


def lost_edit() -> None:
    """An edit is announced and acknowledged, but the old text stays stored."""
    edit, is_due = messages.edit, every(3)

    def forget(db: UnitOfWork, member: Membership, message_id: int, content: str) -> MessageObject:
        stored = db.get(Message, (member.room_id, message_id))
        before = stored.content if stored else ""
        edited = edit(db, member, message_id, content)
        if stored is not None and is_due():
            stored.content = before
        return edited

    messages.edit = forget


def hole_in_catch_up() -> None:
    """A catch-up leaves a message out."""
    after = changes.after

    def skip(db: UnitOfWork, room: Any, *bounds: int) -> Changes:
        found = after(db, room, *bounds)
        whole = [number for number, body in enumerate(found.bodies) if b'"type":"message"' in body]
        if len(whole) > 1:
            del found.seqs[whole[-2]], found.bodies[whole[-2]]
        return found

    changes.after = skip  # type: ignore[assignment]


def stored_but_refused() -> None:
    """A transaction is committed, and its caller is told that the database did not answer."""
    transact, is_due = Database.transact, every(5)

    def lie(self: Database, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = transact(self, work, *args, **kwargs)
        if work is record and is_due():
            raise DatabaseUnavailable
        return result

    Database.transact = lie  # type: ignore[method-assign]


def receipt_moves_back() -> None:
    """A receipt for an old message moves the read position back."""

    def move(db: UnitOfWork, receipts: Sequence[Receipt]) -> list[int | AppError | None]:
        for receipt in receipts:
            db.get_one(Member, receipt.key).last_read_id = receipt.message_id
        return [receipt.message_id for receipt in receipts]

    receipts_service.move = move


FAULTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (
        publish_before_commit,
        ack_before_commit,
        dropped_frame,
        swapped_pair,
        duplicate_broadcast,
        double_insert,
        lost_edit,
        hole_in_catch_up,
        receipt_moves_back,
        stored_but_refused,
    )
}


def plant(name: str) -> None:
    """Plant the fault of this name, or none if it is empty. Raises KeyError."""
    if name:
        FAULTS[name]()
