"""The plan: every workload, its size, and the servers that it measures."""

from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.peers import CHAT, REST

ALL_CHAT = tuple(peer.name for peer in CHAT)
CHAT_PEERS = tuple(name for name in ALL_CHAT if name != "fastapi_store")
REST_PEERS = tuple(peer.name for peer in REST)
DEEP = 1_000_000


@dataclass(frozen=True)
class Workload:
    """A module of `benchmarks.workloads` with its options. `more`: whether a higher figure is better."""

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
    room_size: int = 0
    """Use the room that is filled with this many messages. 0: use the empty rooms."""


WINDOW = {"window": 256, "piece": 24_000}
WIDE_WINDOW = {"window": 512, "piece": 96_000}
"""`window`: messages in flight, enough that no server here waits for the load. `piece`: bytes that a read of a listener
should find. Both are larger from a thousand listeners on: at sixteen million deliveries a second, reading smaller
pieces would need the whole core of the load."""


def _fanout(listeners: int) -> Workload:
    title = f"fan-out, {listeners:,} listeners"
    return Workload(
        f"fanout_{listeners}",
        "fanout",
        title,
        "deliveries/s",
        ALL_CHAT,
        {"listeners": listeners} | (WIDE_WINDOW if listeners >= 1000 else WINDOW),
    )


def _depth(messages: int) -> Workload:
    options = {"page": f"?before={messages // 2}&limit=50"}
    title = f"page in the middle of {messages:,} messages"
    name = f"depth_{messages}"
    return Workload(name, "rest", title, "requests/s", ("ours",), options, seed="deep", room_size=messages)


LATENCY = {"listeners": 200} | WINDOW
SINGLE = {"listeners": 200, "piece": 24_000}
CONVERSATION = {"rooms": 200, "people": 5, "window": 1}
INGEST = {"rooms": 50, "people": 1, "window": 64}
CATCHUP = {"changes": 1000}
RECENT = {"page": "/recent?limit=50"}
STORM = {"rooms": 40, "people": 5, "rate": 400, "logins": 50}

WORKLOADS = (
    _fanout(10),
    _fanout(200),
    _fanout(1000),
    _fanout(5000),
    Workload("single", "single", "one message at a time, 200 listeners", "deliveries/s", ALL_CHAT, SINGLE),
    Workload("conversation", "conversation", "conversation, 200 rooms of 5", "messages/s", ALL_CHAT, CONVERSATION),
    Workload("ingest", "conversation", "ingest, 50 senders", "stored messages/s", ("ours", "fastapi_store"), INGEST),
    Workload("latency", "latency", "p99 at half load, 200 listeners", "ms", CHAT_PEERS, LATENCY, "p99_ms", False, 8),
    Workload("connects", "connects", "connects", "connects/s", CHAT_PEERS, {"at_once": 32}),
    Workload("memory", "memory", "idle connection (of 5,000)", "bytes", CHAT_PEERS, {"connections": 5000}, more=False),
    Workload("catchup", "catchup", "catching up with 1,000 changes", "catch-ups/s", ("ours",), CATCHUP, room_size=1000),
    Workload("rest", "rest", "REST recent?limit=50", "requests/s", REST_PEERS, RECENT, room_size=1000),
    Workload("storm", "storm", "p99 beside 50 logins/s, times alone", "×", ("ours",), STORM, more=False, seconds=8),
    _depth(1000),
    _depth(DEEP),
)  # fmt: skip

BY_NAME = {workload.name: workload for workload in WORKLOADS}


def short() -> tuple[Workload, ...]:
    """Small versions of some workloads, under a minute together: they check that everything runs."""
    small: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
        "fanout_10": ({"listeners": 10, "window": 16, "piece": 24_000}, ("ours", "fastapi")),
        "conversation": ({"rooms": 4, "people": 5, "window": 1}, ("ours", "fastapi")),
        "latency": ({"listeners": 10, "window": 16, "piece": 24_000, "share": 0.1}, ("ours",)),
        "connects": ({"at_once": 4}, ("ours",)),
        "catchup": (CATCHUP, ("ours",)),
        "rest": (RECENT, ("ours",)),
    }
    return tuple(
        replace(BY_NAME[name], title=f"{name}, short form", options=options, peers=peers, seconds=0.7)
        for name, (options, peers) in small.items()
    )
