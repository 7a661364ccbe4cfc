"""The audit log is always on, cannot be flooded, and carries nothing that a terminal would act on."""

import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from app.core.logs import configure_logging
from app.core.security.audit import PER_ADDRESS, PER_KIND, SAMPLED_PER_ADDRESS, Audit, AuditEvent, Client

HERE = Client("192.0.2.1", "a browser")


@pytest.fixture
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which moves only when a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as captured:
        yield captured


def test_one_address_cannot_flood_the_log_and_hides_no_other(
    standing_clock: list[float], lines: list[Any]
) -> None:
    record = Audit()
    for _ in range(1000):
        record.record(AuditEvent.LOGIN_FAILED, HERE)
    assert len(lines) == PER_ADDRESS[1]
    record.record(AuditEvent.LOGIN_FAILED, Client("192.0.2.2", ""))
    assert len(lines) == PER_ADDRESS[1] + 1
    assert lines[-1]["omitted"] == 1000 - PER_ADDRESS[1]
    record.record(AuditEvent.LOGIN_OK, HERE)
    assert lines[-1]["event"] == "login.ok", "another kind has a limit of its own"
    standing_clock[0] += 10
    for _ in range(1000):
        record.record(AuditEvent.LOGIN_FAILED, HERE)
    assert len(lines) == PER_ADDRESS[1] + 2 + 10 * PER_ADDRESS[0]


def test_many_addresses_cannot_flood_the_log(standing_clock: list[float], lines: list[Any]) -> None:
    record = Audit()
    for number in range(2000):
        record.record(AuditEvent.LOGIN_FAILED, Client(f"198.51.{number >> 8}.{number & 255}", ""))
    assert len(lines) == PER_KIND[1]


def test_addresses_of_one_ipv6_network_count_as_one(standing_clock: list[float], lines: list[Any]) -> None:
    record = Audit()
    for number in range(200):
        record.record(AuditEvent.LOGIN_FAILED, Client(f"2001:db8::{number:x}", ""))
    assert len(lines) == PER_ADDRESS[1]


def test_of_refused_tokens_a_sample_is_recorded(standing_clock: list[float], lines: list[Any]) -> None:
    """Every client presents an expired token once a day."""
    record = Audit()
    for _ in range(100):
        record.record(AuditEvent.TOKEN_REFUSED, HERE)
    assert len(lines) == SAMPLED_PER_ADDRESS[1]


def test_a_line_has_the_fields_that_are_known(lines: list[Any]) -> None:
    Audit().record(AuditEvent.LOGIN_OK, Client("192.0.2.1", ""), user="ann", session=None)
    assert lines == [
        {
            "event": "login.ok",
            "log_level": "info",
            "logger": "audit",
            "address": "192.0.2.1",
            "user": "ann",
        }
    ]


def test_what_a_client_says_of_itself_is_cut_and_made_printable(lines: list[Any]) -> None:
    Audit().record(AuditEvent.LOGIN_OK, Client("\x1b[2J", "a\nb\x1b]0;c\x07" + "x" * 1000))
    assert lines[0]["address"] == "?[2J"
    assert lines[0]["agent"] == ("a?b?]0;c?" + "x" * 1000)[:200]


def test_it_is_on_at_every_log_level(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before = root.handlers, root.level, structlog.get_config()
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    try:
        configure_logging("error", "json")
        Audit().record(AuditEvent.LOGIN_OK, HERE)
        structlog.get_logger("chat").info("not this")
    finally:
        root.handlers, root.level = before[:2]
        structlog.configure(**before[2])
    (line,) = written.getvalue().splitlines()
    assert (
        json.loads(line).items() >= {"logger": "audit", "event": "login.ok", "address": "192.0.2.1"}.items()
    )
