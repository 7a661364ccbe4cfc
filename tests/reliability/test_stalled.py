"""A listener that stops reading costs bounded memory and delays no other; when it reconnects, it misses nothing."""

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
STEP, MORE = 20, 800
"""Messages per step until the server closes the stalled listener, and 6 MB of messages after that."""
WARM_UP = 2_000
"""Messages of 16 MB together, which fill the page cache of the writing database connection."""
LIMIT = 65_536
TOLERANCE_KB = 2048
"""Growth of the server for other reasons: database caches, buffers of the allocator."""


async def test_listeners_that_stop_reading_cost_bounded_memory_delay_no_other_and_can_resume(
    tmp_path: Path,
) -> None:
    with ChatServer(tmp_path, (), max_send_buffer_bytes=LIMIT) as server:
        alice, bob = await sign_up(server, "alice"), await sign_up(server, "bob")
        elsewhere, room = [await new_room(alice, name) for name in ("Elsewhere", "A loud room")]
        async with alice.enters(elsewhere) as seat:
            # After the warm-up, lazily created objects exist and the database's cache is full.
            await echo_seconds(seat, WARM_UP)
            before = await echo_seconds(seat, MORE)
        path = f"/ws/chat/{room}?token={bob.token}&since=0"
        async with (
            alice.enters(room) as seat,
            raw_client(server, path, receive_buffer=16_384) as stalled,
            raw_client(server, path, receive_buffer=16_384) as never_resuming,
        ):
            replica = await catch_up(stalled)
            stalled.stops_reading()
            never_resuming.stops_reading()
            reset_peak(server)
            initial, during = memory(server, "VmRSS"), await echo_seconds(seat, STEP)
            while "listener.too_slow" not in server.log.read_text():
                during += await echo_seconds(seat, STEP)
            stalled.reads_again()
            assert await stalled.is_closed() == 4408
            during += await echo_seconds(seat, MORE)
            grown = memory(server, "VmHWM") - initial
        print(f"grew by {grown} kB; {1000 * median(before):.1f} ms, then {1000 * median(during):.1f} ms")
        assert grown < 2 * HARD_LIMIT_FACTOR * LIMIT / 1024 + TOLERANCE_KB
        assert median(during) < 3 * median(before) + 0.02, "the stalled listeners delayed another one"
        assert max(during) < PATIENCE / 2
        await assert_resumes(bob, room, replica)
        for person in (alice, bob):
            await person.http.aclose()


async def new_room(person: Person, name: str) -> int:
    number: int = (await person.http.post("/api/rooms", json={"name": name})).json()["id"]
    return number


async def echo_seconds(seat: Seat, count: int) -> list[float]:
    """Send long messages one by one. Returns the seconds until each ack."""
    times = []
    for number in range(count):
        start = time.perf_counter()
        await seat.says(LONG, ref=number)
        await seat.hears("ack", ref=number)
        times.append(time.perf_counter() - start)
    return times


async def catch_up(client: RawClient) -> Replica:
    """A copy of the room after its catch-up from number 0."""
    replica = Replica()
    synced = await client.hears("synced")
    for event in client.heard:
        if event["type"] in DURABLE:
            replica.apply(event)
    assert replica.position == synced["seq"]
    return replica


async def assert_resumes(bob: Person, room: int, replica: Replica) -> None:
    """Check that reconnecting from the replica's position delivers every event that was not read."""
    truth = await snapshot(bob, room)
    assert replica.position < truth.position
    async with bob.enters(room, since=replica.position) as seat:
        await seat.hears("synced")
    for event in seat.heard:
        if event["type"] in DURABLE:
            replica.apply(event)
    assert not differences(replica, truth)


def memory(server: ChatServer, what: str) -> int:
    """Memory in kilobytes: VmRSS is the current size, VmHWM the peak since `reset_peak`."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what))


def reset_peak(server: ChatServer) -> None:
    assert server.process is not None
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
