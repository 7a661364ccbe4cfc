"""The laws of streams: numbers without gaps, each sent once, and the same for every listener."""

from collections.abc import Iterator

from tests.reliability.history import History, Stream
from tests.reliability.laws import Violation


def streams_without_gaps(history: History) -> Iterator[Violation]:
    """Missed events arrive in order and within bounds; each live number follows the previous one without a gap."""
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
            received = [(one.seq, one.type, one.id) for one in stream.missed]
            yield Violation("order", f"{where}: in the catch-up, {received} are not in order")
            return
        position = max(position, seen.seq)
    if stream.synced is None:
        return
    if position > stream.synced and not stream.truncated:
        yield Violation("order", f"{where}: synced at {stream.synced}, after {position}")
    if stream.synced < stream.known:
        yield Violation("rolled back", f"{where}: is at {stream.synced}, but {stream.known} was known")


def one_order(history: History) -> Iterator[Violation]:
    """Every live listener receives the same bytes for a number of a room, and they agree with the database."""
    known: dict[tuple[int, int], tuple[str, int]] = {}
    for stream in history.streams:
        for seen in stream.live:
            client, digest = known.setdefault((stream.room, seen.seq), (stream.client, seen.digest))
            if digest != seen.digest:
                what = f"room {stream.room}, number {seen.seq} ({seen.type})"
                yield Violation("order", f"{what} is different for {client} and for {stream.client}")
    for room, messages in history.messages.items():
        held = history.truths[room].replica.messages
        for event in messages:
            stored = held.get(event["id"], {})
            wrong = [key for key in _FIXED if stored.get(key) != event.get(key)]
            if wrong:
                sent = {key: event.get(key) for key in _FIXED}
                yield Violation(
                    "phantom", f"room {room}: {sent} was sent, but {wrong} differs from the database"
                )


_FIXED = ("id", "seq", "sender", "created_at", "client_id", "reply_to")
"""Fields of a message that never change, not even when it is deleted."""
