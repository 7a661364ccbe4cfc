"""The laws on a small history: it is valid as it is, and every kind of corruption is found."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from app.schemas.asyncapi import examples
from tests.reliability.history import Copy, History, Operation, Seen, Stream, Truth
from tests.reliability.replica import Event, Replica
from tests.reliability.run_state import RunState
from tests.reliability.verdict import judge, proves_nothing
from tests.support.server import ChatServer

ROOM = 1


def message(number: int, seq: int, text: str, **more: object) -> Event:
    fixed = {"type": "message", "id": number, "seq": seq, "sender": "ann", "message": text}
    return {**fixed, "created_at": "then", "client_id": f"{text}/a", **more}


def done(kind: str, target: int, seq: int, text: str = "", number: int | None = None) -> Operation:
    client_id = f"{text}/a" if kind == "message" else None
    operation = Operation("a", "ann", ROOM, kind, text, client_id, target)  # type: ignore[arg-type]
    operation.done(number or target, seq)
    return operation


@pytest.fixture
def history() -> History:
    """Ann sends "one" and "two", edits "one", reacts to "two" and reads it; Bob hears everything."""
    replica = Replica()
    for event in (
        {"type": "member.joined", "seq": 1, "user": "ann", "role": "owner"},
        message(1, 2, "one"),
        message(2, 3, "two"),
        {"type": "message.updated", "id": 1, "seq": 4, "content": "one → a", "edited_at": "now"},
        {"type": "reaction", "id": 2, "seq": 5, "emoji": "#a", "user": "ann", "action": "add"},
    ):
        replica.apply(event)
    stream = Stream("b", ROOM, since=1, known=1, missed=[Seen(2, "message", 1, 22)], synced=2)
    stream.live = [Seen(3, "message", 2, 33), Seen(4, "message.updated", 1, 44), Seen(5, "reaction", 2, 55)]
    found = History(streams=[stream, copy.deepcopy(stream)], messages={ROOM: [message(2, 3, "two")]})
    found.operations = [
        done("message", 0, 2, "one", number=1),
        done("message", 0, 3, "two", number=2),
        done("edit", 1, 4, "one → a"),
        done("add", 2, 5, "#a"),
        done("read", 2, 0),
    ]
    found.copies = [Copy("b", ROOM, replica.copy())]
    found.truths = {ROOM: Truth({"last_message_id": 2, "last_seq": 5}, replica, {"ann": 2}, {"ann": 0})}
    return found


def truth(history: History) -> dict[int, Event]:
    return history.truths[ROOM].replica.messages


def lose_answer(operation: Operation) -> None:
    operation.outcome, operation.id, operation.seq = "unknown", 0, 0


def send_unexecuted(history: History) -> None:
    history.operations.append(Operation("a", "ann", ROOM, "edit", "one → never", target=1))
    history.operations.append(Operation("a", "ann", ROOM, "message", "never arrived", "x"))


def remove_reaction(history: History) -> None:
    history.operations.append(Operation("a", "ann", ROOM, "remove", "#a", target=2))
    for replica in (history.copies[0].replica, history.truths[ROOM].replica):
        del replica.messages[2]["reactions"]


def test_a_correct_history_is_valid(history: History) -> None:
    assert judge(history) == []


VALID: dict[str, Callable[[History], object]] = {
    "an edit without an answer was executed": lambda history: lose_answer(history.operations[2]),
    "a message and an edit without an answer were not executed": send_unexecuted,
    "a message without an answer was stored": lambda history: lose_answer(history.operations[1]),
    "the removal of a reaction without an answer was executed": remove_reaction,
}


@pytest.mark.parametrize("what", VALID)
def test_a_history_with_unknown_outcomes_is_valid_if(what: str, history: History) -> None:
    VALID[what](history)
    assert judge(history) == []


INVALID: dict[str, tuple[str, Callable[[History], object]]] = {
    "an acknowledged message is missing": ("lost", lambda history: truth(history).pop(2)),
    "another message has its id": ("lost", lambda history: truth(history)[2].update(client_id="other")),
    "a message has another number than acknowledged": (
        "lost",
        lambda history: truth(history)[2].update(seq=9),
    ),
    "a message is stored twice": (
        "duplicate",
        lambda history: truth(history).update({3: message(3, 6, "two", client_id=None)}),
    ),
    "a retry got another id": (
        "duplicate",
        lambda history: history.operations.append(done("message", 0, 6, "two", number=3)),
    ),
    "two attempts were both new": (
        "duplicate",
        lambda history: history.operations.append(done("message", 0, 3, "two", number=2)),
    ),
    "a stored message was never sent": (
        "invented",
        lambda history: truth(history).update({3: message(3, 6, "psst")}),
    ),
    "an id is missing": ("gap", lambda history: truth(history).pop(1)),
    "a number is used twice": ("duplicate", lambda history: truth(history)[2].update(changed_seq=4)),
    "an edit is lost": ("change lost", lambda history: truth(history)[1].update(message="one")),
    "an edit is overwritten": ("change lost", lambda history: truth(history)[1].update(message="one → b")),
    "a change has a lower number than acknowledged": (
        "change lost",
        lambda history: truth(history)[1].pop("changed_seq"),
    ),
    "a reaction is lost": ("change lost", lambda history: truth(history)[2].pop("reactions")),
    "a reaction belongs to another user": (
        "change lost",
        lambda history: truth(history)[2].update(reactions={"#a": ["bob"]}),
    ),
    "a deletion is lost": ("change lost", lambda history: history.operations.append(done("delete", 1, 6))),
    "a message is deleted that no client deleted": (
        "change lost",
        lambda history: truth(history)[1].update(deleted_at="now"),
    ),
    "a read position moved back": (
        "receipt lost",
        lambda history: history.truths[ROOM].receipts.update(ann=1),
    ),
    "a number is sent twice": (
        "order",
        lambda history: history.streams[0].live.insert(1, Seen(3, "", 2, 33)),
    ),
    "two events are swapped": ("order", lambda history: history.streams[0].live.reverse()),
    "an event is missing": ("gap", lambda history: history.streams[0].live.pop(1)),
    "an event of the catch-up is sent again live": (
        "order",
        lambda history: history.streams[0].live.insert(0, Seen(2, "message", 1, 22)),
    ),
    "a catch-up is out of order": (
        "order",
        lambda history: history.streams[0].missed.append(Seen(2, "message", 1, 22)),
    ),
    "two clients receive different events": (
        "order",
        lambda history: history.streams[1].live.__setitem__(0, Seen(3, "message", 2, 34)),
    ),
    "an event differs from the database": (
        "phantom",
        lambda history: history.messages[ROOM].append(message(3, 6, "two", sender="bob")),
    ),
    "a room was rolled back": ("rolled back", lambda history: setattr(history.streams[0], "known", 3)),
    "a replica lacks a message": ("replica", lambda history: history.copies[0].replica.messages.pop(1)),
    "a replica is behind": ("replica", lambda history: setattr(history.copies[0].replica, "position", 4)),
    "a client complained": ("complaint", lambda history: history.complaints.append("odd")),
}


@pytest.mark.parametrize("what", INVALID)
def test_a_violation_is_found_if(what: str, history: History) -> None:
    law, corrupt = INVALID[what]
    corrupt(history)
    assert law in {violation.law for violation in judge(history)}


def test_a_run_without_kills_retries_and_resumes_proves_nothing(history: History) -> None:
    history.counts.update(replayed=1, resent=1, duplicate=1, dropped=1, changed=1)
    history.kills = [4, 0]
    assert proves_nothing(history, kills=1) == []
    assert len(proves_nothing(history, kills=2)) == 1, "one of the two kills hit no operation"
    history.counts.clear()
    assert len(proves_nothing(history, kills=1)) == 5


def test_every_frame_of_a_client_is_validated_against_the_asyncapi_document(tmp_path: Path) -> None:
    state = RunState(ChatServer(tmp_path), [ROOM])
    for frame in examples.EVENT_EXAMPLES:
        state.check(frame)
    assert state.history.complaints == []
    for frame in examples.EVENT_EXAMPLES:
        state.check({key: None if key != "type" else value for key, value in frame.items()})
    assert len(state.history.complaints) == len(examples.EVENT_EXAMPLES)
