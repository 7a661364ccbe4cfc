"""Whether a history is one that a chat may have. Pure: the laws are in `order` and `promises`."""

from collections.abc import Iterator

from tests.reliability.history import History
from tests.reliability.laws import Violation
from tests.reliability.order import one_order, streams_without_gaps
from tests.reliability.promises import changes_kept, marks_kept, messages_kept, numbers_without_gaps
from tests.reliability.replica import differences

LAWS = (
    messages_kept,
    changes_kept,
    marks_kept,
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
"""What has to happen in a run for it to prove something."""


def judge(history: History) -> list[Violation]:
    """Everything that is wrong; nothing if all is well."""
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
    """Why a run says nothing, whatever its verdict: what it was made to show did not happen."""
    why = [reason for name, reason in NEEDED.items() if not history.counts[name]]
    hits = sum(1 for waiting in history.kills if waiting)
    if hits < kills:
        why.append(f"{hits} kills hit an operation, {kills} were wanted")
    if not history.copies:
        why.append("no replica was compared")
    return why
