"""The registry: how many connections there may be, with which logins, until when, and how they end."""

import asyncio
import time
from dataclasses import replace

import pytest

from app.core.config import Settings
from app.core.security.tokens import LEEWAY_SECONDS
from app.schemas import close_codes
from app.schemas.connections import Goodbye
from app.services.announcements import SessionsEnded
from app.services.callers import Caller
from app.websocket.hub.registry import Registry, TooManySockets
from tests.support.fakes import CALLER, RecordingPeer

BOB = Caller(user_id=2, username="bob", session_id="session of bob", created_at=0, expires_at=0)
SOON = 30.0
"""Seconds that a test waits for something that should happen at once."""


@pytest.fixture
def registry() -> Registry:
    return Registry(Settings(sockets_per_user=2, sockets_per_address=3, reconnect_spread_per_second=2))


def added(registry: Registry, count: int) -> list[RecordingPeer]:
    """Connections of one user from as many addresses."""
    peers = [RecordingPeer(number, address=f"192.0.2.{number}") for number in range(count)]
    for peer in peers:
        registry.add(peer)
    return peers


def connected(number: int, expires_at: int = 0) -> RecordingPeer:
    """A connection of a user and an address of its own."""
    caller = replace(CALLER, user_id=number, session_id=f"session {number}", expires_at=expires_at)
    return RecordingPeer(number, caller=caller, address=f"192.0.2.{number}")


# Limits


def test_a_user_has_a_limit_over_all_addresses(registry: Registry) -> None:
    first, _ = added(registry, 2)
    with pytest.raises(TooManySockets):
        registry.add(RecordingPeer(address="198.51.100.1"))
    registry.add(RecordingPeer(caller=BOB))
    registry.remove(first)
    registry.add(RecordingPeer(address="198.51.100.1"))


def test_an_address_has_a_limit_over_all_users(registry: Registry) -> None:
    peers = [RecordingPeer(number, caller=replace(CALLER, user_id=number)) for number in range(4)]
    for peer in peers[:3]:
        registry.add(peer)
    with pytest.raises(TooManySockets):
        registry.add(peers[3])
    registry.remove(peers[0])
    registry.add(peers[3])


def test_zero_is_no_limit() -> None:
    registry = Registry(Settings(sockets_per_user=0, sockets_per_address=0))
    for number in range(100):
        registry.add(RecordingPeer(number))


def test_a_refused_connection_is_not_counted(registry: Registry) -> None:
    peers = added(registry, 2)
    refused = RecordingPeer(address="198.51.100.1")
    with pytest.raises(TooManySockets):
        registry.add(refused)
    registry.remove(refused)
    assert not refused.is_listening
    with pytest.raises(TooManySockets):
        registry.add(refused)
    for peer in peers:
        registry.remove(peer)
        registry.remove(peer)
    assert registry.sessions == []


def test_slices_are_all_connections_without_overlap(registry: Registry) -> None:
    peers = [connected(number) for number in range(10)]
    for peer in peers:
        registry.add(peer)
    slices = [registry.slice(turn, 3) for turn in range(3)]
    assert sorted(peer.number for part in slices for peer in part) == list(range(10))
    assert all(3 <= len(part) <= 4 for part in slices)


# Logins


def test_only_connections_of_an_ended_login_are_closed(registry: Registry) -> None:
    peers, other = added(registry, 2), RecordingPeer(caller=BOB)
    registry.add(other)
    registry.end_sessions(SessionsEnded([CALLER.session_id, "unknown"]))
    assert [peer.close_code for peer in peers] == [close_codes.SESSION_ENDED.code] * 2
    assert other.close_code is None


def test_a_login_is_listed_while_it_has_a_connection(registry: Registry) -> None:
    one, other = added(registry, 2)
    assert registry.sessions == [CALLER.session_id]
    registry.remove(one)
    assert registry.sessions == [CALLER.session_id]
    registry.remove(other)
    assert registry.sessions == []


def test_a_connection_is_closed_when_its_token_expires(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    sooner, later, renewed = connected(1, 1010), connected(2, 1020), connected(3, 1010)
    for peer in (later, sooner, renewed):
        registry.add(peer)
    renewed.expires_at = 1030
    registry.watch_expiry(renewed)

    def closed_at(now: float) -> list[int]:
        monkeypatch.setattr(time, "time", lambda: now)
        registry.end_expired()
        return [peer.number for peer in (sooner, later, renewed) if peer.close_code]

    times = [LEEWAY_SECONDS + expiry for expiry in (1009, 1010, 1020, 1030)]
    assert [closed_at(now) for now in times] == [[], [1], [1, 2], [1, 2, 3]]
    assert sooner.close_code == close_codes.TOKEN_EXPIRED.code


def test_lost_connections_take_no_memory_until_their_tokens_expire(registry: Registry) -> None:
    stays = connected(0, int(time.time()) - LEEWAY_SECONDS - 1)
    registry.add(stays)
    for number in range(1, 1000):
        peer = connected(number, int(time.time()) + 86_400)
        registry.add(peer)
        registry.remove(peer)
    assert len(registry._expiries) < 200
    registry.end_expired()
    assert stays.close_code == close_codes.TOKEN_EXPIRED.code


# Stopping


def test_a_goodbye_spreads_the_reconnects(registry: Registry) -> None:
    peers = [connected(number) for number in range(10)]
    for peer in peers:
        registry.add(peer)
    registry.say_goodbye()
    assert registry.is_closing
    assert not any(peer.is_reading for peer in peers)
    delays = []
    for peer in peers:
        [goodbye] = peer.events
        assert isinstance(goodbye, Goodbye)
        delays.append(goodbye.reconnect_after_ms)
    assert sorted(delays) == [200 + 500 * position for position in range(10)], "two per second"


async def test_a_stop_waits_until_every_command_is_answered(registry: Registry) -> None:
    idle, busy = added(registry, 2)
    busy.has_work = True
    answered = asyncio.create_task(registry.answered())
    async with asyncio.timeout(SOON):
        while busy.busy_checks < 3:
            await asyncio.sleep(0.001)
        assert not answered.done()
        busy.has_work = False
        await answered
    assert idle.close_code is None


async def test_closing_returns_once_every_connection_is_gone() -> None:
    registry = Registry(Settings())
    peers = [RecordingPeer(number, on_close=registry.remove) for number in range(3)]
    for peer in peers:
        registry.add(peer)
    async with asyncio.timeout(SOON):
        await registry.close_all(2 * SOON)
    assert [peer.close_code for peer in peers] == [close_codes.GOING_AWAY.code] * 3
    assert not any(peer.recorded.is_aborted for peer in peers)


async def test_connections_that_do_not_answer_a_close_are_aborted(registry: Registry) -> None:
    silent, polite = RecordingPeer(1), RecordingPeer(2, caller=BOB, on_close=registry.remove)
    registry.add(silent)
    registry.add(polite)
    await registry.close_all(0.01)
    assert silent.recorded.is_aborted
    assert not polite.recorded.is_aborted
