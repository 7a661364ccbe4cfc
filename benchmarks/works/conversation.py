"""Conversation: many rooms, everyone talks, each keeps `window` messages in flight. Counts messages per second.

With one person per room it is *ingest*: nothing is measured but numbering and storing.
"""

import asyncio
from string import ascii_lowercase

from benchmarks.load.dialects import MARK, content
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, take, unbroken, until
from benchmarks.load.sockets import Talker, Tally
from benchmarks.load.wire import client_frame


class Speaker:
    """One talker that always has as many messages in flight as it began with."""

    def __init__(self, spec: Spec, talker: Talker, tag: str) -> None:
        self.talker = talker
        self.frame = client_frame(spec.speech.say(talker.seat, content(tag)))
        self.sent = 0
        self.going = True
        talker.mark = MARK + tag.encode()
        talker.on_own = self.say

    def say(self, times: int) -> None:
        if self.going:
            self.sent += times
            self.talker.transport.write(self.frame * times)


async def seat(spec: Spec, rooms: int, people: int) -> tuple[Tally, list[Talker]]:
    """`people` talkers in each room, room by room."""
    tally = Tally()
    seats = [spec.seat(room, room * people + person) for room in range(rooms) for person in range(people)]
    talkers = await take(spec, Talker, tally, seats)
    await asyncio.sleep(0.3)
    return tally, talkers


async def run(spec: Spec) -> dict[str, object]:
    rooms, people = int(spec.options["rooms"]), int(spec.options["people"])
    tally, talkers = await seat(spec, rooms, people)
    speakers = [Speaker(spec, talker, ascii_lowercase[i % people]) for i, talker in enumerate(talkers)]
    with unbroken(tally):
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
        "frame_bytes": talkers[0].ends[-1] / len(talkers[0].ends),
        "void": cost.void(),
    } | cost.record()
