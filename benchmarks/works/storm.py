"""Login storm: a conversation at a steady rate, first alone, then beside logins offered at a steady rate.

What counts is how long a speaker waits for its own words, from the moment at which they were due.
"""

import asyncio
from collections import Counter, deque
from time import perf_counter

from benchmarks.load.dialects import content
from benchmarks.load.http import Connection, connect, post
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, unbroken, until
from benchmarks.load.sockets import Talker
from benchmarks.load.statistics import latencies
from benchmarks.load.wire import client_frame
from benchmarks.works.conversation import seat


class Steady:
    """A talker that keeps when each of its messages in flight was due."""

    def __init__(self, spec: Spec, talker: Talker, took: list[float]) -> None:
        self.talker, self.took = talker, took
        self.frame = client_frame(spec.speech.say(talker.seat, content()))
        self.due: deque[float] = deque()
        talker.on_own = self._hear

    def say(self, due: float) -> None:
        self.due.append(due)
        self.talker.transport.write(self.frame)

    def _hear(self, own: int) -> None:
        now = perf_counter()
        for _ in range(own):
            self.took.append(now - self.due.popleft())


async def talk(speakers: list[Steady], rate: float, seconds: float) -> None:
    """In turn, `rate` messages a second together, whatever comes back."""
    begin = perf_counter()
    for i in range(int(rate * seconds)):
        due = begin + i / rate
        while (early := due - perf_counter()) > 0:
            await asyncio.sleep(early)
        speakers[i % len(speakers)].say(due)
    await until(lambda: not any(speaker.due for speaker in speakers), 20, "not everything said was heard")


async def log_in(spec: Spec, rate: float, seconds: float, answers: Counter[int]) -> None:
    """Offer `rate` logins a second; each takes a free connection or opens one."""
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
    tally, talkers = await seat(spec, rooms, 1)
    others = (await seat(spec, rooms, people - 1))[0]
    took: list[float] = []
    speakers = [Steady(spec, talker, took) for talker in talkers]
    answers: Counter[int] = Counter()
    with unbroken(tally), unbroken(others):
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
