"""What is measured: every work, its size, and who does it."""

from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.peers import CHAT, REST

EVERYONE = tuple(peer.name for peer in CHAT)
QUIET = tuple(name for name in EVERYONE if name != "fastapi_store")
READERS = tuple(peer.name for peer in REST)
DEEP = 1_000_000


@dataclass(frozen=True)
class Work:
    """A module of `benchmarks.works` with its options. `more` says whether more is better."""

    name: str
    module: str
    title: str
    unit: str
    peers: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    figure: str = "rate"
    more: bool = True
    seconds: float | None = None
    seed: str = "plain"
    room_of: int = 0
    """The room to use: the one filled with so many messages, or the empty ones."""


WINDOW = {"window": 256, "piece": 24_000}
WIDE_WINDOW = {"window": 512, "piece": 96_000}
"""Messages in flight in a burst, deep enough that no server here waits for the load, and the bytes that a read of a
listener should find. More of both for a thousand listeners and more: at sixteen million deliveries a second, reading
smaller pieces would take the load all of its core."""


def _fanout(listeners: int) -> Work:
    title = f"fan-out, {listeners:,} listeners"
    return Work(
        f"fanout_{listeners}",
        "fanout",
        title,
        "deliveries/s",
        EVERYONE,
        {"listeners": listeners} | (WIDE_WINDOW if listeners >= 1000 else WINDOW),
    )


def _depth(messages: int) -> Work:
    options = {"page": f"?before={messages // 2}&limit=50"}
    title = f"page in the middle of {messages:,} messages"
    name = f"depth_{messages}"
    return Work(name, "rest", title, "requests/s", ("ours",), options, seed="deep", room_of=messages)


LATENCY = {"listeners": 200} | WINDOW
SINGLE = {"listeners": 200, "piece": 24_000}
CONVERSATION = {"rooms": 200, "people": 5, "window": 1}
INGEST = {"rooms": 50, "people": 1, "window": 64}
CATCHUP = {"changes": 1000}
STORM = {"rooms": 40, "people": 5, "rate": 400, "logins": 50}

WORKS = (
    _fanout(10),
    _fanout(200),
    _fanout(1000),
    _fanout(5000),
    Work("single", "single", "one message at a time, 200 listeners", "deliveries/s", EVERYONE, SINGLE),
    Work("conversation", "conversation", "conversation, 200 rooms of 5", "messages/s", EVERYONE, CONVERSATION),
    Work("ingest", "conversation", "ingest, 50 senders", "stored messages/s", ("ours", "fastapi_store"), INGEST),
    Work("latency", "latency", "p99 at half load, 200 listeners", "ms", QUIET, LATENCY, "p99_ms", False, 8),
    Work("connects", "connects", "connects", "connects/s", QUIET, {"at_once": 32}),
    Work("memory", "memory", "idle connection (of 5,000)", "bytes", QUIET, {"connections": 5000}, more=False),
    Work("catchup", "catchup", "catching up with 1,000 changes", "catch-ups/s", ("ours",), CATCHUP, room_of=1000),
    Work("rest", "rest", "REST recent?limit=50", "requests/s", READERS, {"page": "/recent?limit=50"}, room_of=1000),
    Work("storm", "storm", "p99 beside 50 logins/s, times alone", "×", ("ours",), STORM, more=False, seconds=8),
    _depth(1000),
    _depth(DEEP),
)  # fmt: skip

BY_NAME = {work.name: work for work in WORKS}


def short() -> tuple[Work, ...]:
    """A minute's worth: proves that everything runs, measures nothing worth keeping."""
    small: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
        "fanout_10": ({"listeners": 10, "window": 16, "piece": 24_000}, ("ours", "fastapi")),
        "conversation": ({"rooms": 4, "people": 5, "window": 1}, ("ours", "fastapi")),
        "latency": ({"listeners": 10, "window": 16, "piece": 24_000, "share": 0.1}, ("ours",)),
        "connects": ({"at_once": 4}, ("ours",)),
        "catchup": (CATCHUP, ("ours",)),
        "rest": ({"page": "/recent?limit=50"}, ("ours",)),
    }
    return tuple(
        replace(BY_NAME[name], title=f"{name}, short form", options=options, peers=peers, seconds=0.7)
        for name, (options, peers) in small.items()
    )
