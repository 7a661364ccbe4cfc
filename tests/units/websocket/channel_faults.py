"""Faults to plant in a channel, so that the model can show that it catches them.

Each wraps one method of `Channel` or `Subscription`, and breaks one promise of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import pytest

from app.services.access import Membership
from app.websocket.hub.channel import Channel, Subscription
from app.websocket.transport import Payload

P = ParamSpec("P")
T = TypeVar("T")
Patch = pytest.MonkeyPatch


def early_events_do_not_wait(patch: Patch) -> None:
    """An event is delivered before those that precede it."""
    offer = Channel.offer

    def at_once(self: Channel, first: int, bodies: Sequence[bytes]) -> None:
        if self.head is not None:
            self.head = max(self.head, first - 1)
        offer(self, first, bodies)

    replace(patch, Channel, offer, at_once)


def delivered_events_are_delivered_again(patch: Patch) -> None:
    """A second report of an event is not recognised."""
    offer = Channel.offer

    def again(self: Channel, first: int, bodies: Sequence[bytes]) -> None:
        if self.head is not None:
            self.head = min(self.head, first - 1)
        offer(self, first, bodies)

    replace(patch, Channel, offer, again)


def events_are_not_buffered(patch: Patch) -> None:
    """A listener that is catching up misses what happens meanwhile."""

    def drop(self: Subscription, span: range, seqs: Sequence[int], events: Payload) -> None: ...

    replace(patch, Subscription, Subscription.receive, drop)


def known_events_are_sent_again(patch: Patch) -> None:
    """A listener that has caught up with half of a buffered commit gets all of it."""
    receive = Subscription.receive

    def send_all(self: Subscription, span: range, seqs: Sequence[int], events: Payload) -> None:
        if self.position is not None and self.position + 1 < span.stop:
            self.position = span.start - 1
        receive(self, span, seqs, events)

    replace(patch, Subscription, receive, send_all)


def the_buffer_is_not_sent(patch: Patch) -> None:
    """The buffered events are dropped when the listener goes live."""
    caught_up = Subscription.caught_up

    def forget(self: Subscription, position: int) -> int:
        self._buffer.clear()
        return caught_up(self, position)

    replace(patch, Subscription, caught_up, forget)


def the_buffer_is_sent_backwards(patch: Patch) -> None:
    """The buffered events come in the wrong order."""
    caught_up = Subscription.caught_up

    def reverse(self: Subscription, position: int) -> int:
        self._buffer.reverse()
        return caught_up(self, position)

    replace(patch, Subscription, caught_up, reverse)


def listeners_behind_count_as_live(patch: Patch) -> None:
    """A listener at another position than the room gets exactly what the room gets."""
    promote = Channel._promote

    def promote_all(self: Channel) -> None:
        for subscription in self._catching_up:
            if subscription.position is not None:
                subscription.position = self.head
        promote(self)

    replace(patch, Channel, promote, promote_all)


def direct_writers_hear_nothing(patch: Patch) -> None:
    """A live listener that takes encoded frames is left out."""
    promote = Channel._promote

    def without_writers(self: Channel) -> None:
        promote(self)
        self._writes.clear()

    replace(patch, Channel, promote, without_writers)


def other_listeners_hear_nothing(patch: Patch) -> None:
    """A live listener that takes no encoded frames is left out."""
    promote = Channel._promote

    def without_senders(self: Channel) -> None:
        promote(self)
        self._senders.clear()

    replace(patch, Channel, promote, without_senders)


def a_full_buffer_loses_one_event(patch: Patch) -> None:
    """A full buffer drops its last event instead of all of them."""
    receive = Subscription.receive

    def drop_one(self: Subscription, span: range, seqs: Sequence[int], events: Payload) -> None:
        before = list(self._buffer)
        receive(self, span, seqs, events)
        if self.position is None and before and len(self._buffer) <= len(before):
            self._buffer[:0] = before[:-1]

    replace(patch, Subscription, receive, drop_one)


def a_full_buffer_goes_unnoticed(patch: Patch) -> None:
    """A listener for which events were dropped goes live with a hole."""

    def reach(self: Subscription, position: int) -> bool:
        return True

    replace(patch, Subscription, Subscription.reaches, reach)


def an_empty_buffer_reaches_everything(patch: Patch) -> None:
    """A listener misses what was delivered before anything was buffered for it."""
    reaches = Subscription.reaches

    def reach(self: Subscription, position: int) -> bool:
        return not self._buffer or reaches(self, position)

    replace(patch, Subscription, reaches, reach)


def a_slow_listener_takes_the_room_back(patch: Patch) -> None:
    """A room stands where the last listener came in."""
    caught_up = Subscription.caught_up

    def take_back(self: Subscription, position: int) -> int:
        self.channel.head = reached = caught_up(self, position)
        return reached

    replace(patch, Subscription, caught_up, take_back)


def a_repair_repeats_events(patch: Patch) -> None:
    """What was delivered while the database was asked is delivered again."""
    repair = Channel.repair

    def repeat(
        self: Channel, position: int, seqs: Sequence[int], bodies: Sequence[bytes], *, is_whole: bool = True
    ) -> None:
        if self.head is not None and position > self.head and seqs:
            self.head = min(self.head, seqs[0] - 1)
        repair(self, position, seqs, bodies, is_whole=is_whole)

    replace(patch, Channel, repair, repeat)


def a_repair_takes_the_room_back(patch: Patch) -> None:
    """An answer of the database that comes late puts the room back."""
    repair = Channel.repair

    def take_back(
        self: Channel, position: int, seqs: Sequence[int], bodies: Sequence[bytes], *, is_whole: bool = True
    ) -> None:
        repair(self, position, seqs, bodies, is_whole=is_whole)
        if self.head is not None:
            self.head = min(self.head, position)

    replace(patch, Channel, repair, take_back)


def a_repair_leaves_early_events_waiting(patch: Patch) -> None:
    """Events that came early are not delivered by the repair that closes the gap before them."""
    repair = Channel.repair

    def leave(
        self: Channel, position: int, seqs: Sequence[int], bodies: Sequence[bytes], *, is_whole: bool = True
    ) -> None:
        early, self._early = self._early, {}
        repair(self, position, seqs, bodies, is_whole=is_whole)
        self._early = early

    replace(patch, Channel, repair, leave)


def a_gap_goes_unnoticed(patch: Patch) -> None:
    """A report does not count as news of a higher number."""
    offer = Channel.offer

    def forget(self: Channel, first: int, bodies: Sequence[bytes]) -> None:
        known = self.highest_known
        offer(self, first, bodies)
        self.highest_known = known

    replace(patch, Channel, offer, forget)


def the_position_of_a_subscriber_goes_unnoticed(patch: Patch) -> None:
    """A room does not learn from a subscriber that there is more."""
    go_live = Channel.go_live

    def forget(self: Channel, subscription: Subscription, member: Membership, position: int) -> None:
        known = self.highest_known
        go_live(self, subscription, member, position)
        self.highest_known = known

    replace(patch, Channel, go_live, forget)


FAULTS: dict[str, Callable[[Patch], None]] = {
    plant.__name__: plant
    for plant in (
        early_events_do_not_wait,
        delivered_events_are_delivered_again,
        events_are_not_buffered,
        known_events_are_sent_again,
        the_buffer_is_not_sent,
        the_buffer_is_sent_backwards,
        listeners_behind_count_as_live,
        direct_writers_hear_nothing,
        other_listeners_hear_nothing,
        a_full_buffer_loses_one_event,
        a_full_buffer_goes_unnoticed,
        an_empty_buffer_reaches_everything,
        a_slow_listener_takes_the_room_back,
        a_repair_repeats_events,
        a_repair_takes_the_room_back,
        a_repair_leaves_early_events_waiting,
        a_gap_goes_unnoticed,
        the_position_of_a_subscriber_goes_unnoticed,
    )
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Plant a fault for a while. Raises KeyError."""
    with pytest.MonkeyPatch.context() as patch:
        FAULTS[name](patch)
        yield


def replace(patch: Patch, owner: type[Any], method: Callable[P, T], other: Callable[P, T]) -> None:
    """Replace a method by its value, so that a type checker follows when it is renamed."""
    patch.setattr(owner, method.__name__, other)
