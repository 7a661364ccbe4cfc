"""The laws of streams: numbers without gaps, each told once, and the same for everyone."""

from collections.abc import Iterator

from tests.reliability.history import History, Stream
from tests.reliability.laws import Violation


def streams_without_gaps(history: History) -> Iterator[Violation]:
    """What was missed comes in order and within its bounds; live, every number follows the one before it."""
    for stream in history.streams:
        where = f"{stream.client} in room {stream.room} since {stream.since}"
        yield from _missed(stream, where)
        if stream.synced is None:
            continue
        position = stream.synced
        for seen in stream.live:
            if seen.seq > position + 1:
                yield Violation("gap", f"{where}: {seen.type} {seen.seq} came after {position}")
            elif seen.seq <= position:
                yield Violation("order", f"{where}: {seen.type} {seen.seq} came after {position}")
            position = max(position, seen.seq)


def _missed(stream: Stream, where: str) -> Iterator[Violation]:
    position = stream.since
    for seen in stream.missed:
        if seen.seq <= position:
            told = [(one.seq, one.type, one.id) for one in stream.missed]
            yield Violation("order", f"{where}: catching up, {told} are not in order")
            return
        position = max(position, seen.seq)
    if stream.synced is None:
        return
    if position > stream.synced and not stream.truncated:
        yield Violation("order", f"{where}: synced at {stream.synced}, but {position} had come")
    if stream.synced < stream.known:
        yield Violation("taken back", f"{where}: stands at {stream.synced}, and {stream.known} was known")


def one_order(history: History) -> Iterator[Violation]:
    """A number of a room means the same bytes to everyone who hears it live, and what the database says."""
    known: dict[tuple[int, int], tuple[str, int]] = {}
    for stream in history.streams:
        for seen in stream.live:
            client, digest = known.setdefault((stream.room, seen.seq), (stream.client, seen.digest))
            if digest != seen.digest:
                what = f"room {stream.room}, number {seen.seq} ({seen.type})"
                yield Violation("order", f"{what} is one thing to {client} and another to {stream.client}")
    for room, messages in history.messages.items():
        held = history.truths[room].replica.messages
        for event in messages:
            stored = held.get(event["id"], {})
            wrong = [key for key in _FIXED if stored.get(key) != event.get(key)]
            if wrong:
                told = {key: event.get(key) for key in _FIXED}
                yield Violation("phantom", f"room {room}: {told} was told, and {wrong} is not what is stored")


_FIXED = ("id", "seq", "sender", "created_at", "client_id", "reply_to")
"""What never changes about a message, not even when it is deleted."""
