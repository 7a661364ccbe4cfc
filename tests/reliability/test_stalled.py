"""A listener that stops reading costs a bounded piece of memory and nobody's time; coming back, it misses nothing."""

import time
from pathlib import Path
from statistics import median

from app.websocket.hub.slow_listeners import HARD_LIMIT_FACTOR
from tests.reliability.replica import DURABLE, Replica, differences
from tests.reliability.snapshots import snapshot
from tests.support.people import PATIENCE, Person, Seat, sign_up
from tests.support.rawclient import RawClient, raw_client
from tests.support.server import ChatServer

LONG = "A" * 7_900
SOME, MORE = 20, 800
"""Of those, until the server has had enough of who does not read, and then 6 MB more."""
ENOUGH = 2_000
"""Of those fill 16 MB, the cache of the connection that writes."""
LIMIT = 65_536
OTHERWISE_KB = 2048
"""What the server may grow by for other reasons: caches of the database, buffers of the allocator."""


async def test_listeners_that_stop_reading(tmp_path: Path) -> None:
    with ChatServer(tmp_path, (), max_send_buffer_bytes=LIMIT) as server:
        alice, bob = await sign_up(server, "alice"), await sign_up(server, "bob")
        elsewhere, room = [await new_room(alice, name) for name in ("Elsewhere", "A loud room")]
        async with alice.enters(elsewhere) as seat:
            await talk(
                seat, ENOUGH
            )  # what is made only once is made by now, and the database's cache is full
            before = await talk(seat, MORE)
        path = f"/ws/chat/{room}?token={bob.token}&since=0"
        async with (
            alice.enters(room) as seat,
            raw_client(server, path, receive_buffer=16_384) as dozing,
            raw_client(server, path, receive_buffer=16_384) as gone,
        ):
            replica = await catch_up(dozing)
            dozing.stops_reading()
            gone.stops_reading()
            forget_peak(server)
            at_first, during = memory(server, "VmRSS"), await talk(seat, SOME)
            while "listener.too_slow" not in server.log.read_text():
                during += await talk(seat, SOME)
            dozing.reads_again()
            assert await dozing.is_closed() == 4408
            during += await talk(seat, MORE)
            grown = memory(server, "VmHWM") - at_first
        print(f"grew by {grown} kB; {1000 * median(before):.1f} ms, then {1000 * median(during):.1f} ms")
        assert grown < 2 * HARD_LIMIT_FACTOR * LIMIT / 1024 + OTHERWISE_KB
        assert median(during) < 3 * median(before) + 0.02, "the others did not wait"
        assert max(during) < PATIENCE / 2
        await comes_back(bob, room, replica)
        for person in (alice, bob):
            await person.http.aclose()


async def new_room(person: Person, name: str) -> int:
    number: int = (await person.http.post("/api/rooms", json={"name": name})).json()["id"]
    return number


async def talk(seat: Seat, count: int) -> list[float]:
    """Say something long again and again; returns the seconds until it was heard."""
    times = []
    for number in range(count):
        began = time.perf_counter()
        await seat.says(LONG, ref=number)
        await seat.hears("ack", ref=number)
        times.append(time.perf_counter() - began)
    return times


async def catch_up(client: RawClient) -> Replica:
    """A copy of the room as it is, from its beginning."""
    replica = Replica()
    synced = await client.hears("synced")
    for event in client.heard:
        if event["type"] in DURABLE:
            replica.apply(event)
    assert replica.position == synced["seq"]
    return replica


async def comes_back(bob: Person, room: int, replica: Replica) -> None:
    """With where it was, it gets all that it did not read."""
    truth = await snapshot(bob, room)
    assert replica.position < truth.position
    async with bob.enters(room, since=replica.position) as seat:
        await seat.hears("synced")
    for event in seat.heard:
        if event["type"] in DURABLE:
            replica.apply(event)
    assert not differences(replica, truth)


def memory(server: ChatServer, what: str) -> int:
    """Kilobytes: VmRSS now, VmHWM the most since `forget_peak`."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what))


def forget_peak(server: ChatServer) -> None:
    assert server.process is not None
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
