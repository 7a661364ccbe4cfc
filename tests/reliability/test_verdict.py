"""The laws, on a small history: it is allowed as it is, and each thing that may go wrong with it is seen."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from app.schemas.asyncapi import examples
from tests.reliability.history import Copy, History, Operation, Seen, Stream, Truth
from tests.reliability.replica import Event, Replica
from tests.reliability.verdict import judge, proves_nothing
from tests.reliability.world import World
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
    """Ann says «one» and «two», edits «one», puts an emoji under «two» and reads it; Bob hears it all."""
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


def unknown(operation: Operation) -> None:
    operation.outcome, operation.id, operation.seq = "unknown", 0, 0


def never_done(history: History) -> None:
    history.operations.append(Operation("a", "ann", ROOM, "edit", "one → never", target=1))
    history.operations.append(Operation("a", "ann", ROOM, "message", "lost on the way", "x"))


def taken_back(history: History) -> None:
    history.operations.append(Operation("a", "ann", ROOM, "remove", "#a", target=2))
    for replica in (history.copies[0].replica, history.truths[ROOM].replica):
        del replica.messages[2]["reactions"]


def test_a_history_in_which_all_is_well_is_allowed(history: History) -> None:
    assert judge(history) == []


ALLOWED: dict[str, Callable[[History], object]] = {
    "an edit without an answer happened": lambda history: unknown(history.operations[2]),
    "a message and an edit without an answer did not happen": never_done,
    "a message without an answer is there": lambda history: unknown(history.operations[1]),
    "a reaction without an answer was taken back": taken_back,
}


@pytest.mark.parametrize("what", ALLOWED)
def test_it_is_allowed_that(what: str, history: History) -> None:
    ALLOWED[what](history)
    assert judge(history) == []


WRONG: dict[str, tuple[str, Callable[[History], object]]] = {
    "an acknowledged message is gone": ("lost", lambda history: truth(history).pop(2)),
    "another stands in its place": ("lost", lambda history: truth(history)[2].update(client_id="other")),
    "it has another number": ("lost", lambda history: truth(history)[2].update(seq=9)),
    "it is there twice": (
        "twice",
        lambda history: truth(history).update({3: message(3, 6, "two", client_id=None)}),
    ),
    "a retry got another id": (
        "twice",
        lambda history: history.operations.append(done("message", 0, 6, "two", number=3)),
    ),
    "two attempts were both new": (
        "twice",
        lambda history: history.operations.append(done("message", 0, 3, "two", number=2)),
    ),
    "nobody sent it": ("invented", lambda history: truth(history).update({3: message(3, 6, "psst")})),
    "an id is missing": ("gap", lambda history: truth(history).pop(1)),
    "a number is used twice": ("twice", lambda history: truth(history)[2].update(changed_seq=4)),
    "an edit is lost": ("change lost", lambda history: truth(history)[1].update(message="one")),
    "an edit is overwritten": ("change lost", lambda history: truth(history)[1].update(message="one → b")),
    "a change is older than it was": ("change lost", lambda history: truth(history)[1].pop("changed_seq")),
    "a reaction is lost": ("change lost", lambda history: truth(history)[2].pop("reactions")),
    "a reaction is somebody else's": (
        "change lost",
        lambda history: truth(history)[2].update(reactions={"#a": ["bob"]}),
    ),
    "a deletion is lost": ("change lost", lambda history: history.operations.append(done("delete", 1, 6))),
    "nobody deleted it": ("change lost", lambda history: truth(history)[1].update(deleted_at="now")),
    "a mark went back": ("mark lost", lambda history: history.truths[ROOM].marks.update(ann=1)),
    "a number is told twice": (
        "order",
        lambda history: history.streams[0].live.insert(1, Seen(3, "", 2, 33)),
    ),
    "two change places": ("order", lambda history: history.streams[0].live.reverse()),
    "one is left out": ("gap", lambda history: history.streams[0].live.pop(1)),
    "one comes once more after catching up": (
        "order",
        lambda history: history.streams[0].live.insert(0, Seen(2, "message", 1, 22)),
    ),
    "what was missed comes in disorder": (
        "order",
        lambda history: history.streams[0].missed.append(Seen(2, "message", 1, 22)),
    ),
    "two hear different things": (
        "order",
        lambda history: history.streams[1].live.__setitem__(0, Seen(3, "message", 2, 34)),
    ),
    "what was told is not so": (
        "phantom",
        lambda history: history.messages[ROOM].append(message(3, 6, "two", sender="bob")),
    ),
    "the room went back": ("taken back", lambda history: setattr(history.streams[0], "known", 3)),
    "a copy lacks something": ("replica", lambda history: history.copies[0].replica.messages.pop(1)),
    "a copy is behind": ("replica", lambda history: setattr(history.copies[0].replica, "position", 4)),
    "something was odd at first sight": ("complaint", lambda history: history.complaints.append("odd")),
}


@pytest.mark.parametrize("what", WRONG)
def test_it_is_seen_that(what: str, history: History) -> None:
    law, spoil = WRONG[what]
    spoil(history)
    assert law in {violation.law for violation in judge(history)}


def test_a_history_in_which_nothing_happened_proves_nothing(history: History) -> None:
    history.counts.update(replayed=1, resent=1, duplicate=1, dropped=1, changed=1)
    history.kills = [4, 0]
    assert proves_nothing(history, kills=1) == []
    assert len(proves_nothing(history, kills=2)) == 1, "one of the kills hit nothing"
    history.counts.clear()
    assert len(proves_nothing(history, kills=1)) == 5


def test_every_frame_is_held_against_the_document_also_one_that_looks_like_others(tmp_path: Path) -> None:
    world = World(ChatServer(tmp_path), [ROOM])
    for frame in examples.EVENT_EXAMPLES:
        world.checks(frame)
    assert world.history.complaints == []
    for frame in examples.EVENT_EXAMPLES:
        world.checks({key: None if key != "type" else value for key, value in frame.items()})
    assert len(world.history.complaints) == len(examples.EVENT_EXAMPLES)
