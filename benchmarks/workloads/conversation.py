"""Conversation: many rooms in which each member keeps `window` messages in flight. Counts messages per second.

With one member per room it is *ingest*, which measures only numbering and storing.
"""

import asyncio
from string import ascii_lowercase

from benchmarks.load.dialects import MARK, content
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, open_sockets, until, void_on_failure
from benchmarks.load.sockets import Sender, Tally
from benchmarks.load.wire import client_frame


class Speaker:
    """Sends a message for each of its own that arrives, so that the number of messages in flight is constant."""

    def __init__(self, spec: Spec, sender: Sender, tag: str) -> None:
        self.sender = sender
        self.frame = client_frame(spec.speech.say(sender.seat, content(tag)))
        self.sent = 0
        self.going = True
        sender.mark = MARK + tag.encode()
        sender.on_own = self.say

    def say(self, times: int) -> None:
        if self.going:
            self.sent += times
            self.sender.transport.write(self.frame * times)


async def join_rooms(spec: Spec, rooms: int, people: int) -> tuple[Tally, list[Sender]]:
    """Open `people` senders in each room, room by room."""
    tally = Tally()
    seats = [spec.seat(room, room * people + person) for room in range(rooms) for person in range(people)]
    senders = await open_sockets(spec, Sender, tally, seats)
    await asyncio.sleep(0.3)
    return tally, senders


async def run(spec: Spec) -> dict[str, object]:
    rooms, people = int(spec.options["rooms"]), int(spec.options["people"])
    tally, senders = await join_rooms(spec, rooms, people)
    speakers = [Speaker(spec, sender, ascii_lowercase[i % people]) for i, sender in enumerate(senders)]
    with void_on_failure(tally):
        for speaker in speakers:
            speaker.say(spec.options.get("window", 1))
        await asyncio.sleep(spec.warm_up)
        start, before = Instant.now(spec.server), tally.total
        await asyncio.sleep(spec.seconds)
        end, after = Instant.now(spec.server), tally.total
        for speaker in speakers:
            speaker.going = False
        sent = sum(speaker.sent for speaker in speakers)
        await until(lambda: tally.total == sent * people, 20, "not everything that was sent was delivered")
    cost = Cost.between(start, end)
    messages = (after - before) / people
    return {
        "rate": messages / cost.seconds,
        "deliveries_per_s": messages * people / cost.seconds,
        "cpu_us": cost.per(messages),
        "frame_bytes": senders[0].ends[-1] / len(senders[0].ends),
        "void": cost.void(),
    } | cost.record()
