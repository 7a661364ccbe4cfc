"""Checks a history against all laws. Pure: the laws are in `order` and `promises`."""

from collections.abc import Iterator

from tests.reliability.history import History
from tests.reliability.laws import Violation
from tests.reliability.order import one_order, streams_without_gaps
from tests.reliability.promises import changes_kept, messages_kept, numbers_without_gaps, receipts_kept
from tests.reliability.replica import differences

LAWS = (
    messages_kept,
    changes_kept,
    receipts_kept,
    numbers_without_gaps,
    streams_without_gaps,
    one_order,
)

NEEDED = {
    "replayed": "no resume replayed anything",
    "resent": "nothing was sent again after a lost connection",
    "duplicate": "no retry was recognised",
    "dropped": "no connection was dropped",
    "changed": "nothing was edited, deleted or reacted to",
}
"""Events without which a run proves nothing, each with the reason to report."""


def judge(history: History) -> list[Violation]:
    """Every violation of a law; empty if there is none."""
    found = [Violation("complaint", text) for text in history.complaints]
    for law in LAWS:
        found += law(history)
    return found + list(_copies_equal_truth(history))


def _copies_equal_truth(history: History) -> Iterator[Violation]:
    for client, room, replica in history.copies:
        different = differences(replica, history.truths[room].replica)
        if different:
            rest = f" (and {len(different) - 3} more)" if len(different) > 3 else ""
            yield Violation("replica", f"{client} in room {room}: " + "; ".join(different[:3]) + rest)


def proves_nothing(history: History, kills: int) -> list[str]:
    """The reasons why a run proves nothing, whatever its verdict: the events it should have tested did not happen."""
    reasons = [reason for name, reason in NEEDED.items() if not history.counts[name]]
    hits = sum(1 for waiting in history.kills if waiting)
    if hits < kills:
        reasons.append(f"{hits} kills hit an operation, expected {kills}")
    if not history.copies:
        reasons.append("no replica was compared")
    return reasons
