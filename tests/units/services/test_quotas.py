"""Quotas of a day, with a clock of the test's own."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core.free_disk import FreeDisk
from app.services import quotas
from app.services.quotas import DAY_SECONDS, DailyQuotaUsed, DiskNearlyFull, Quotas

ANN, BEN = 1, 2


class Clock:
    now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(quotas, "time", made)
    return made


def waits(found: Quotas, user: int, text: str = "x") -> float:
    """Spend; the seconds to wait, or 0."""
    refusal = found.refusal(user, text)
    assert refusal is None or isinstance(refusal, DailyQuotaUsed)
    return 0.0 if refusal is None else refusal.retry_after or 0.0


def test_a_quota_may_be_used_at_once_and_comes_back_over_the_day(clock: Clock) -> None:
    some = Quotas(messages=10)
    assert [waits(some, ANN) for _ in range(10)] == [0.0] * 10
    wait = waits(some, ANN)
    assert wait == pytest.approx(DAY_SECONDS / 10)
    assert waits(some, BEN) == 0.0, "each user has a quota of their own"
    clock.now += wait + 0.01
    assert waits(some, ANN) == 0.0
    assert waits(some, ANN) > 0.0
    clock.now += 3 * DAY_SECONDS
    assert [waits(some, ANN) > 0 for _ in range(11)] == [False] * 10 + [True], (
        "what was not used is not added"
    )


def test_bytes_are_those_of_utf_8(clock: Clock) -> None:
    some = Quotas(messages=2, max_bytes=800)
    assert waits(some, ANN, "😀" * 100) == 0.0
    assert waits(some, ANN, "x" * 400) == 0.0
    assert waits(some, ANN, "x" * 700) == pytest.approx(DAY_SECONDS * 700 / 800), "the longer wait counts"
    other = Quotas(max_bytes=800)
    assert waits(other, BEN, "😀" * 201) == 0.0, "a text that is larger than the quota uses it up"
    assert waits(other, BEN) == pytest.approx(DAY_SECONDS / 800)
    with pytest.raises(DailyQuotaUsed):
        other.check(BEN)


def test_checking_counts_nothing(clock: Clock) -> None:
    some = Quotas(messages=1)
    some.check(ANN)
    some.check(ANN)
    some.spend(ANN, "x")
    with pytest.raises(DailyQuotaUsed):
        some.check(ANN)
    with pytest.raises(DailyQuotaUsed):
        some.spend(ANN, "x")


def test_without_limits_nothing_is_refused(clock: Clock) -> None:
    assert {Quotas().refusal(ANN, "x" * 8_000) for _ in range(100)} == {None}


def test_the_users_that_are_remembered_are_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "MAX_USERS", 2)
    some = Quotas(messages=1)
    assert [waits(some, user) for user in (1, 2, 3)] == [0.0, 0.0, 0.0]
    assert waits(some, 3) > 0
    assert waits(some, 1) == 0.0, "the first one was forgotten"


async def test_a_disk_is_low_below_its_floor_and_a_folder_that_is_gone_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FreeDisk(tmp_path / "chat.db", floor=1000)
    some = Quotas(disk=disk)
    usage = SimpleNamespace(free=999)
    monkeypatch.setattr("app.core.free_disk.shutil.disk_usage", lambda _folder: usage)
    await disk.look()
    assert isinstance(some.refusal(ANN, "x"), DiskNearlyFull)
    with pytest.raises(DiskNearlyFull):
        some.check(ANN)

    def fail(_folder: Path) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr("app.core.free_disk.shutil.disk_usage", fail)
        await disk.look()
    assert isinstance(some.refusal(ANN, "x"), DiskNearlyFull)
    usage.free = 1000
    await disk.look()
    assert some.refusal(ANN, "x") is None


async def test_a_database_server_or_a_floor_of_zero_is_not_watched(tmp_path: Path) -> None:
    await FreeDisk(None, 1000).watch()
    await FreeDisk(tmp_path / "chat.db", 0).watch()
