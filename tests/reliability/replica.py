"""A copy of a room made from events alone, as a client makes it. Pure: no socket, no clock.

It relies on these laws of the protocol: a new message arrives whole as `message`, a known one as its change, and the
number of a change shows whether a copy already contains it.
"""

import copy
from collections.abc import Iterable
from typing import Any

Event = dict[str, Any]
DURABLE = frozenset({"message", "message.updated", "message.deleted", "reaction", "member.joined"})
"""The events that carry `seq` and must never be missed."""


class Replica:
    """`position` is the number up to which the copy is complete: the `since` of the next catch-up."""

    def __init__(self) -> None:
        self.position = 0
        self.messages: dict[int, Event] = {}
        self.members: dict[str, str] | None = {}
        """Name and role; None after `load`, because the history does not list members."""
        self.complaints: list[str] = []
        """Events that could not be applied."""

    def copy(self) -> "Replica":
        return copy.deepcopy(self)

    def apply(self, event: Event) -> None:
        """Apply a durable event. One that the copy already contains changes nothing."""
        match event["type"]:
            case "message":
                self._put(event)
            case "member.joined":
                if self.members is not None:
                    self.members[event["user"]] = event["role"]
            case "message.updated" | "message.deleted" | "reaction":
                self._change(event)
            case unknown:
                self.complaints.append(f"a durable event of an unknown kind: {unknown}")
        self.position = max(self.position, event["seq"])

    def load(self, history: Iterable[Event], position: int) -> None:
        """Replace the copy by the history as REST shows it, which was read after `position` was current."""
        self.messages = {}
        self.members = None
        for message in history:
            self._put(message)
        self.position = position

    def _put(self, message: Event) -> None:
        held = self.messages.get(message["id"])
        if held is None or version(message) >= version(held):
            self.messages[message["id"]] = as_held(message)

    def _change(self, event: Event) -> None:
        held = self.messages.get(event["id"])
        if held is None and event["type"] == "message.deleted":
            # The message was sent and deleted while this copy was offline: only its id is known.
            held = self.messages[event["id"]] = {"id": event["id"], "seq": 0}
        if held is None:
            self.complaints.append(
                f"{event['type']} {event['seq']} of message {event['id']}, which never arrived"
            )
        elif event["seq"] > version(held):
            _CHANGES[event["type"]](held, event)
            held["changed_seq"] = event["seq"]


def as_held(message: Event) -> Event:
    """A message object as a replica keeps it. Emoji are unordered; the users of each are ordered."""
    held = {key: value for key, value in message.items() if key != "duplicate"}
    if "reactions" in message:
        held["reactions"] = {reaction["emoji"]: list(reaction["users"]) for reaction in message["reactions"]}
    return held


def version(message: Event) -> int:
    """The number of the last change that touched this message object."""
    number: int = message["changed_seq"] if "changed_seq" in message else message["seq"]
    return number


def _update(held: Event, event: Event) -> None:
    held["message"] = event["content"]
    if "edited_at" in event:
        held["edited_at"] = event["edited_at"]
    reactions = {reaction["emoji"]: list(reaction["users"]) for reaction in event.get("reactions", [])}
    _set_reactions(held, reactions)


def _delete(held: Event, event: Event) -> None:
    held["message"] = ""
    held.pop("edited_at", None)
    held["deleted_at"] = event["deleted_at"]
    _set_reactions(held, {})


def _react(held: Event, event: Event) -> None:
    reactions = held.get("reactions", {})
    users = [user for user in reactions.get(event["emoji"], []) if user != event["user"]]
    if event["action"] == "add":
        users.append(event["user"])
    others = {emoji: known for emoji, known in reactions.items() if emoji != event["emoji"]}
    _set_reactions(held, others | ({event["emoji"]: users} if users else {}))


def _set_reactions(held: Event, reactions: dict[str, list[str]]) -> None:
    held.pop("reactions", None)
    if reactions:
        held["reactions"] = reactions


_CHANGES = {"message.updated": _update, "message.deleted": _delete, "reaction": _react}


def _is_bare(mine: Event | None, real: Event | None) -> bool:
    """Whether the copy only knows that the message is deleted, and is right."""
    if mine is None or real is None:
        return False
    return mine == {key: real[key] for key in mine if key in real} | {"seq": 0}


def differences(replica: Replica, truth: Replica) -> list[str]:
    """Descriptions of the differences between a copy and the truth; empty if they are equal."""
    found = list(replica.complaints)
    if replica.position != truth.position:
        found.append(f"is at {replica.position}, not at {truth.position}")
    for number in sorted(replica.messages.keys() | truth.messages.keys()):
        mine, real = replica.messages.get(number), truth.messages.get(number)
        if mine != real and not _is_bare(mine, real):
            found.append(f"message {number} is {mine}, not {real}")
    if replica.members is not None and truth.members is not None and replica.members != truth.members:
        found.append(f"members are {replica.members}, not {truth.members}")
    return found
