"""`/health/live` and `/health/ready`: when a server should be restarted, and when it should get no new clients."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from app.core.config import Settings
from app.core.database import Database, UnitOfWork
from app.services import health
from app.services.health import NotReady, ReadinessProbe
from tests.databases.test_disk_failures import no_more_bytes
from tests.support.people import sign_up
from tests.support.problems import check_problem
from tests.support.server import ChatServer, wait_until
from tests.units.held_write import HeldWrite

GENERAL = 1


@pytest.fixture
async def http(server: ChatServer) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as anonymous:
        yield anonymous


async def test_a_server_that_serves_is_live_and_ready(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health/live")).json() == {"status": "ok"}
    answer = await http.get("/health/ready")
    assert answer.status_code == 200
    ready = answer.json()
    assert ready["status"] == "ok"
    assert ready["pool"]["size"] >= 2
    assert ready["free_disk_bytes"] > 0
    assert ready["oldest_job_seconds"] < health.MAX_WAIT_SECONDS


def test_the_age_of_the_last_commit_is_that_of_an_account_and_not_of_a_probe(server: ChatServer) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as http:

        def age() -> float:
            seconds: float = http.get("/health/ready").json()["last_commit_seconds"]
            return seconds

        account = {"username": "commits once", "password": "correct horse"}
        assert http.post("/api/auth/signup", json=account).status_code == 201
        wait_until(lambda: age() > health.PROBE_SECONDS + 0.5, "older, although another probe has run")


def is_ready(server: ChatServer) -> bool:
    return httpx.get(f"{server.url}/health/ready", timeout=30).status_code == 200


def why_not(server: ChatServer) -> str:
    """What a server says that is not ready."""
    wait_until(lambda: not is_ready(server), "not ready")
    answer = httpx.get(f"{server.url}/health/ready", timeout=30)
    assert check_problem(answer, 503) == "not_ready"
    assert int(answer.headers["Retry-After"]) >= 1
    assert httpx.get(f"{server.url}/health/live").status_code == 200
    detail: str = answer.json()["detail"]
    return detail


CANNOT_WRITE = "The database cannot be written to."


async def test_a_database_that_is_locked_full_or_deleted_is_noticed_while_nothing_is_written(
    own_server: ChatServer,
) -> None:
    ann = await sign_up(own_server, "ann")
    await asyncio.to_thread(locked, own_server)
    with no_more_bytes(own_server):
        answer = await ann.http.post(f"/api/messages/{GENERAL}", json={"content": "x" * 8000})
        assert check_problem(answer, 503) == "database_unavailable"
        why = await asyncio.to_thread(why_not, own_server)
        assert why == CANNOT_WRITE, "the lock of writers is free on a full disk: only a commit can tell"
    await asyncio.to_thread(wait_until, lambda: is_ready(own_server), "ready again, without a message")
    await ann.http.aclose()
    log = own_server.log.read_text()
    assert log.count("database.disk_failed") == 1
    assert log.count("health.not_ready") == log.count("health.ready") == 2, "changes are logged, not probes"
    await asyncio.to_thread((own_server.folder / "chat.db").unlink)
    assert await asyncio.to_thread(why_not, own_server) == CANNOT_WRITE


def locked(server: ChatServer) -> None:
    with closing(sqlite3.connect(server.folder / "chat.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert why_not(server).startswith(CANNOT_WRITE)
        other.execute("ROLLBACK")
    wait_until(lambda: is_ready(server), "ready again")


async def test_a_server_that_stops_is_not_ready(own_server: ChatServer) -> None:
    """On a connection that a load balancer keeps; new ones are refused."""
    ann = await sign_up(own_server, "ann")
    with closing(sqlite3.connect(own_server.folder / "chat.db", isolation_level=None)) as other:
        async with (
            httpx.AsyncClient(base_url=own_server.url, timeout=30) as balancer,
            ann.enters(GENERAL) as seat,
        ):
            assert (await balancer.get("/health/ready")).status_code == 200
            other.execute("BEGIN IMMEDIATE")
            await seat.says("this keeps the server from stopping at once")
            assert own_server.process is not None
            own_server.process.terminate()
            await seat.hears("goodbye")
            answer = await balancer.get("/health/ready")
            assert check_problem(answer, 503) == "not_ready"
            assert answer.json()["detail"].startswith("The server is stopping.")
            other.execute("ROLLBACK")
    await ann.http.aclose()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=1)
    await opened.read(lambda db: db.connection().closed)
    yield opened
    opened.close()


@pytest.fixture
def probe(database: Database) -> ReadinessProbe:
    return ReadinessProbe(Settings(database_url=str(database.writer.url)), database)


async def test_however_many_ask_there_is_one_probe(
    probe: ReadinessProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes = []
    real = health.probe

    def counted(db: UnitOfWork, *, store: bool) -> None:
        probes.append(store)
        real(db, store=store)

    monkeypatch.setattr(health, "probe", counted)
    await asyncio.gather(*(probe.check(is_draining=False) for _ in range(100)))
    await probe.check(is_draining=False)
    assert probes == [False]


async def test_a_disk_that_is_nearly_full_is_not_ready(
    probe: ReadinessProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "MIN_FREE_BYTES", 1 << 62)
    with pytest.raises(NotReady, match=r"The disk has \d+ bytes left"):
        await probe.check(is_draining=False)


async def test_a_job_that_waits_too_long_is_not_ready(
    probe: ReadinessProbe, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "MAX_WAIT_SECONDS", 0.0)
    held = HeldWrite(database)
    await asyncio.sleep(0)
    with pytest.raises(NotReady, match="The oldest job has waited for"):
        await probe.check(is_draining=False)
    await held.release()
    await probe.check(is_draining=False)
