"""The laws of acknowledgements: everything that was acknowledged is stored and stays stored, and nothing else is."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.reliability.history import History, Operation, Truth
from tests.reliability.laws import Violation
from tests.reliability.replica import Event, version


def messages_kept(history: History) -> Iterator[Violation]:
    """Every acknowledged message is stored once, under the acknowledged id; and no message that was never sent."""
    sends = defaultdict(list)
    for operation in history.operations:
        if operation.kind == "message":
            sends[operation.room, operation.text].append(operation)
    stored = _by_text(history)
    for (room, text), attempts in sends.items():
        yield from _kept_once(history.truths[room], attempts, stored.pop((room, text), set()))
    for (room, text), ids in stored.items():
        if text:
            yield Violation("invented", f"room {room}: no client sent {text!r}, stored as {sorted(ids)}")


def _by_text(history: History) -> dict[tuple[int, str], set[int]]:
    """The ids under which each text was ever sent to a listener or is stored."""
    found: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for room, messages in history.messages.items():
        for event in messages:
            found[room, event["message"]].add(event["id"])
    for room, truth in history.truths.items():
        for number, message in truth.replica.messages.items():
            found[room, original(message["message"])].add(number)
    return found


def original(text: str) -> str:
    """The text of a message before its edits, each of which begins with it."""
    return text.partition(" → ")[0]


def _kept_once(truth: Truth, attempts: list[Operation], ids: set[int]) -> Iterator[Violation]:
    first = attempts[0]
    name = f"{first.text!r} of {first.user} in room {first.room}"
    acknowledged = {(one.id, one.seq) for one in attempts if one.outcome == "done"}
    if len(acknowledged) > 1:
        yield Violation("duplicate", f"{name} was acknowledged as {sorted(acknowledged)}")
    if sum(one.outcome == "done" and not one.duplicate for one in attempts) > 1:
        yield Violation("duplicate", f"{name} was new more than once")
    for number, seq in acknowledged:
        message = truth.replica.messages.get(number)
        if message is None:
            yield Violation("lost", f"{name} was acknowledged as {number} and is missing")
        elif not _matches(message, first, seq):
            yield Violation("lost", f"{name} was acknowledged as {number}, which is {message}")
    if ids and all(one.outcome == "refused" for one in attempts):
        yield Violation("refused", f"{name} was refused and is stored as {sorted(ids)}")
    ids = ids | {number for number, _ in acknowledged}
    if len(ids) > 1:
        yield Violation("duplicate", f"{name} is stored as {sorted(ids)}")


def _matches(message: Event, sent: Operation, seq: int) -> bool:
    same_text = original(message["message"]) == sent.text or "deleted_at" in message
    same = (message["seq"], message["sender"], message["client_id"]) == (seq, sent.user, sent.client_id)
    return same_text and same


def changes_kept(history: History) -> Iterator[Violation]:
    """Each message shows its last acknowledged change, or a later one without an answer."""
    changes = defaultdict(list)
    for operation in history.operations:
        if operation.kind in ("edit", "delete", "add", "remove"):
            changes[operation.room, operation.target].append(operation)
    for (room, target), operations in changes.items():
        message = history.truths[room].replica.messages.get(target or 0)
        if message is None:
            continue  # a missing acknowledged message is reported as lost
        for text in (*_numbers(message, operations), *_deletions(message, operations)):
            yield Violation("change lost", f"room {room}, message {target}: {text}")
        if "deleted_at" not in message:
            for text in (*_edits(message, operations), *_reactions(message, operations)):
                yield Violation("change lost", f"room {room}, message {target}: {text}")


def _numbers(message: Event, operations: Iterable[Operation]) -> Iterator[str]:
    highest = max((one.seq for one in operations if one.outcome == "done"), default=0)
    if version(message) < highest:
        yield f"change {highest} was acknowledged, but the message is {message}"


def _deletions(message: Event, operations: list[Operation]) -> Iterator[str]:
    deletions = [one for one in operations if one.kind == "delete" and one.outcome != "refused"]
    is_gone = "deleted_at" in message
    if any(one.outcome == "done" for one in deletions) and not is_gone:
        yield "its deletion was acknowledged, but it is not deleted"
    if is_gone and not deletions:
        yield "it is deleted, but no client deleted it"
    if is_gone and (message["message"] or "reactions" in message):
        yield f"it is deleted, but still is {message}"


def _edits(message: Event, operations: list[Operation]) -> Iterator[str]:
    edits = [one for one in operations if one.kind == "edit"]
    done = max((one for one in edits if one.outcome == "done"), key=lambda one: one.seq, default=None)
    possible = {one.text for one in edits if one.outcome == "unknown"}
    possible.add(done.text if done else original(message["message"]))
    if message["message"] not in possible:
        yield f"its text is {message['message']!r}, expected one of {sorted(possible)}"


def _reactions(message: Event, operations: list[Operation]) -> Iterator[str]:
    """Each client uses its own emoji and waits for an answer before the next command, so its last command counts."""
    stored = {(user, emoji) for emoji, users in message.get("reactions", {}).items() for user in users}
    possible: dict[tuple[str, str], set[bool]] = {}
    for one in operations:
        if one.kind in ("add", "remove") and one.outcome != "refused":
            before = set() if one.outcome == "done" else possible.get((one.user, one.text), {False})
            possible[one.user, one.text] = before | {one.kind == "add"}
    for user, emoji in stored - possible.keys():
        yield f"{user} never added {emoji}"
    for key, outcomes in possible.items():
        if (key in stored) not in outcomes:
            yield f"the last command of {key[0]} for {key[1]} had no effect"


def receipts_kept(history: History) -> Iterator[Violation]:
    """A read position never moves back, and the unread count is the number of live messages after it."""
    positions: defaultdict[tuple[str, int], int] = defaultdict(int)
    for one in history.operations:
        if one.outcome != "done" or one.kind != "read":
            continue
        # A client waits for the answer before its next receipt.
        before, last = positions[one.client, one.room], history.truths[one.room].receipts[one.user]
        positions[one.client, one.room] = one.id
        if not before <= one.id <= last:
            text = f"room {one.room}: {one.client} had read {before}, then {one.id}, in the end {last}"
            yield Violation("receipt lost", text)
    for room, truth in history.truths.items():
        for user, read in truth.receipts.items():
            after = [one for number, one in truth.replica.messages.items() if number > read]
            if truth.unread[user] != sum("deleted_at" not in one for one in after):
                yield Violation(
                    "receipt lost", f"room {room}: {user} read {read}, unread {truth.unread[user]}"
                )


def numbers_without_gaps(history: History) -> Iterator[Violation]:
    """Messages are numbered from one; each number of the room is used once."""
    for room, truth in history.truths.items():
        messages = truth.replica.messages
        if sorted(messages) != list(range(1, truth.room["last_message_id"] + 1)):
            yield Violation("gap", f"room {room}: message ids are not 1 to {truth.room['last_message_id']}")
        made = [messages[number]["seq"] for number in sorted(messages)]
        if made != sorted(set(made)):
            yield Violation("order", f"room {room}: ids and numbers are not in the same order")
        changed = [message["changed_seq"] for message in messages.values() if "changed_seq" in message]
        if len(set(made + changed)) != len(made + changed):
            yield Violation("duplicate", f"room {room}: a number was used twice")
        if max(made + changed, default=0) > truth.room["last_seq"]:
            yield Violation(
                "order", f"room {room}: last_seq is {truth.room['last_seq']}, below that of its messages"
            )
