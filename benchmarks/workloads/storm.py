"""Login storm: a conversation at a steady rate, first alone, then beside logins at a steady rate.

Measures how long a sender waits for its own message, from the time at which the message was due.
"""

import asyncio
from collections import Counter, deque
from time import perf_counter

from benchmarks.load.dialects import content
from benchmarks.load.http import Connection, connect, post
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, until, void_on_failure
from benchmarks.load.sockets import Sender
from benchmarks.load.statistics import latencies
from benchmarks.load.wire import client_frame
from benchmarks.workloads.conversation import join_rooms


class PacedSpeaker:
    """Remembers when each of a sender's messages in flight was due."""

    def __init__(self, spec: Spec, sender: Sender, took: list[float]) -> None:
        self.sender, self.took = sender, took
        self.frame = client_frame(spec.speech.say(sender.seat, content()))
        self.due: deque[float] = deque()
        sender.on_own = self._hear

    def say(self, due: float) -> None:
        self.due.append(due)
        self.sender.transport.write(self.frame)

    def _hear(self, own: int) -> None:
        now = perf_counter()
        for _ in range(own):
            self.took.append(now - self.due.popleft())


async def talk(speakers: list[PacedSpeaker], rate: float, seconds: float) -> None:
    """Let the speakers send in turn, `rate` messages a second in total, without waiting for answers."""
    begin = perf_counter()
    for i in range(int(rate * seconds)):
        due = begin + i / rate
        while (early := due - perf_counter()) > 0:
            await asyncio.sleep(early)
        speakers[i % len(speakers)].say(due)
    await until(
        lambda: not any(speaker.due for speaker in speakers), 20, "not everything that was sent was delivered"
    )


async def log_in(spec: Spec, rate: float, seconds: float, answers: Counter[int]) -> None:
    """Send `rate` logins a second; each uses a free connection or opens one."""
    people = spec.options["people_with_passwords"]
    free: list[Connection] = []
    under_way: set[asyncio.Task[None]] = set()

    async def one(i: int) -> None:
        name, password = people[i % len(people)]
        connection = free.pop() if free else await connect(spec.host, spec.port)
        status, _ = await connection.ask(post("/api/auth/login", {"username": name, "password": password}))
        answers[status] += 1
        free.append(connection)

    begin = perf_counter()
    for i in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begin + i / rate - perf_counter()))
        task = asyncio.create_task(one(i))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    for task in list(under_way):
        task.cancel()


async def run(spec: Spec) -> dict[str, object]:
    rooms, people = int(spec.options["rooms"]), int(spec.options["people"])
    rate, logins = float(spec.options["rate"]), float(spec.options["logins"])
    tally, senders = await join_rooms(spec, rooms, 1)
    others = (await join_rooms(spec, rooms, people - 1))[0]
    took: list[float] = []
    speakers = [PacedSpeaker(spec, sender, took) for sender in senders]
    answers: Counter[int] = Counter()
    with void_on_failure(tally), void_on_failure(others):
        await talk(speakers, rate, spec.warm_up)
        took.clear()
        await talk(speakers, rate, spec.seconds)
        alone = latencies(took)
        took.clear()
        start = Instant.now(spec.server)
        storm = asyncio.create_task(log_in(spec, logins, spec.seconds, answers))
        await talk(speakers, rate, spec.seconds)
        end = Instant.now(spec.server)
        await storm
    beside = latencies(took)
    cost = Cost.between(start, end)
    return {
        "rate": beside["p99_ms"] / alone["p99_ms"],
        "alone": alone,
        "beside": beside,
        "logins_answered_per_s": sum(answers.values()) / spec.seconds,
        "answers": {str(status): n for status, n in answers.items()},
        "void": cost.void(),
    } | cost.record()
