"""Every kind of event of the audit log, caused as a client would, with whom and where it concerns."""

import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import websockets

from app.core.security.audit import AuditEvent
from tests.support.people import Person, Seat, sign_in, sign_up
from tests.support.rawclient import raw_client
from tests.support.server import DEADLINE, ROOT, ChatServer, wait_until

PASSWORD = "correct horse"
AGENT = "a test/1.0"
_names = itertools.count(1)
_hosts = itertools.count(1)

Line = dict[str, Any]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A server with low limits that logs nothing but errors, and the audit log."""
    limits = {
        "logins_per_minute": 3,
        "logins_per_address": 5,
        "signups_per_address": 2,
        "sockets_per_user": 2,
        "sockets_per_address": 3,
        "commands_per_second": 1,
        "command_burst": 8,
    }
    folder = tmp_path_factory.mktemp("audited")
    with ChatServer(folder, (), log_level="error", **limits) as running:
        yield running


class Witness:
    """A client at an address of its own, and the lines of the audit log that name the address."""

    def __init__(self, server: ChatServer) -> None:
        self.server = server
        self.address = f"192.0.2.{next(_hosts)}"
        self.name = f"witness {next(_names)}"
        headers = {"X-Forwarded-For": self.address, "User-Agent": AGENT}
        self.http = httpx.AsyncClient(base_url=server.url, headers=headers, timeout=DEADLINE)
        self.grant: dict[str, Any] = {}

    async def post(self, path: str, **body: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.grant['access_token']}"} if self.grant else {}
        return await self.http.post(f"/api/auth/{path}", json=body, headers=headers)

    async def signs_up(self) -> None:
        answer = await self.post("signup", username=self.name, password=PASSWORD)
        assert answer.status_code == 201, answer.text

    async def signs_in(self) -> None:
        answer = await self.post("login", username=self.name, password=PASSWORD)
        assert answer.status_code == 200, answer.text
        self.grant = answer.json()

    def lines(self, event: AuditEvent) -> list[Line]:
        text = self.server.log.read_text()
        found = [json.loads(line) for line in text.splitlines() if '"logger": "audit"' in line]
        return [line for line in found if line["event"] == event and line["address"] == self.address]

    def line(self, event: AuditEvent) -> Line:
        wait_until(lambda: self.lines(event) != [], f"{event} in the log")
        return self.lines(event)[-1]


@pytest.fixture
async def witness(audited: ChatServer) -> AsyncIterator[Witness]:
    found = Witness(audited)
    yield found
    await found.http.aclose()


async def makes_an_account(witness: Witness) -> None:
    await witness.signs_up()


async def logs_in(witness: Witness) -> None:
    await witness.signs_up()
    await witness.signs_in()


async def guesses(witness: Witness) -> None:
    await witness.signs_up()
    await witness.post("login", username=witness.name, password="wrong horse")


async def changes_the_password(witness: Witness) -> None:
    await logs_in(witness)
    answer = await witness.post("password", current_password=PASSWORD, new_password="battery staple")
    assert answer.status_code == 204


async def logs_out(witness: Witness) -> None:
    await logs_in(witness)
    assert (await witness.post("logout")).status_code == 204


async def uses_a_spent_token(witness: Witness) -> None:
    await logs_in(witness)
    first = str(witness.grant["refresh_token"])
    second = (await witness.post("refresh", refresh_token=first)).json()["refresh_token"]
    await witness.post("refresh", refresh_token=second)
    assert (await witness.post("refresh", refresh_token=first)).status_code == 401


async def presents_no_token(witness: Witness) -> None:
    assert (await witness.post("refresh", refresh_token="nonsense")).status_code == 401


async def connects_from_a_foreign_page(witness: Witness) -> None:
    headers = f"X-Forwarded-For: {witness.address}\r\nUser-Agent: {AGENT}\r\nOrigin: https://evil.example\r\n"
    async with raw_client(witness.server, "/ws?token=x", headers) as client:
        assert await client.is_closed() == 4403


async def signs_up_too_often(witness: Witness) -> None:
    for _ in range(3):
        await witness.post("signup", username="x", password=PASSWORD)


CAUSES: dict[AuditEvent, Callable[[Witness], Awaitable[None]]] = {
    AuditEvent.ACCOUNT_MADE: makes_an_account,
    AuditEvent.LOGIN_OK: logs_in,
    AuditEvent.LOGIN_FAILED: guesses,
    AuditEvent.PASSWORD_CHANGED: changes_the_password,
    AuditEvent.SESSION_ENDED: logs_out,
    AuditEvent.REFRESH_REUSED: uses_a_spent_token,
    AuditEvent.TOKEN_REFUSED: presents_no_token,
    AuditEvent.ORIGIN_REFUSED: connects_from_a_foreign_page,
    AuditEvent.LIMIT_HIT: signs_up_too_often,
}
OF_NO_USER = {AuditEvent.TOKEN_REFUSED, AuditEvent.ORIGIN_REFUSED, AuditEvent.LIMIT_HIT}
OF_A_SESSION = {
    AuditEvent.LOGIN_OK,
    AuditEvent.PASSWORD_CHANGED,
    AuditEvent.SESSION_ENDED,
    AuditEvent.REFRESH_REUSED,
}


@pytest.mark.parametrize("event", AuditEvent)
async def test_every_kind_of_event_is_recorded(witness: Witness, event: AuditEvent) -> None:
    await CAUSES[event](witness)
    line = witness.line(event)
    assert line["agent"] == AGENT
    assert line["timestamp"]
    if event not in OF_NO_USER:
        assert line["user"] == witness.name
        assert isinstance(line["user_id"], int)
    assert ("session" in line) == (event in OF_A_SESSION)


def test_every_kind_of_event_is_documented() -> None:
    section = (ROOT / "docs" / "deploy.md").read_text().partition("## The audit log")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z.]+)`", section, re.MULTILINE) == [event.value for event in AuditEvent]


async def test_a_name_that_is_unknown_is_not_recorded(witness: Witness) -> None:
    """It may be a password, typed into the wrong field."""
    await witness.post("login", username="my secret passphrase", password="x")
    assert "user" not in witness.line(AuditEvent.LOGIN_FAILED)
    assert "my secret passphrase" not in witness.server.log.read_text()


async def test_the_line_of_a_foreign_page_names_it(witness: Witness) -> None:
    await connects_from_a_foreign_page(witness)
    line = witness.line(AuditEvent.ORIGIN_REFUSED)
    assert line["origin"] == "https://evil.example"
    assert line["host"]


async def limits(witness: Witness) -> set[str]:
    return {line["limit"] for line in witness.lines(AuditEvent.LIMIT_HIT)}


async def test_limits_on_logins_name_their_setting(witness: Witness) -> None:
    await witness.signs_up()
    for _ in range(6):
        await witness.post("login", username=witness.name, password="wrong horse")
    assert await limits(witness) == {"LOGINS_PER_MINUTE", "LOGINS_PER_ADDRESS"}


async def test_limits_on_requests_and_sockets_name_the_user(audited: ChatServer, witness: Witness) -> None:
    await logs_in(witness)
    headers = {"Authorization": f"Bearer {witness.grant['access_token']}"}
    while (await witness.http.get("/api/auth/me", headers=headers)).status_code == 200:
        pass
    assert witness.line(AuditEvent.LIMIT_HIT)["limit"] == "COMMANDS_PER_SECOND"
    addressed = headers | {"X-Forwarded-For": witness.address}
    async with AsyncExitStack() as stack:
        for _ in range(2):
            socket = websockets.connect(f"{audited.ws}/ws", additional_headers=addressed)
            await Seat(await stack.enter_async_context(socket)).hears("ready")
        refused = await stack.enter_async_context(
            websockets.connect(f"{audited.ws}/ws", additional_headers=addressed)
        )
        assert await Seat(refused).is_closed() == 4429
    wait_until(lambda: len(witness.lines(AuditEvent.LIMIT_HIT)) > 1, "the limit on sockets in the log")
    line = witness.lines(AuditEvent.LIMIT_HIT)[-1]
    assert (line["limit"], line["user"]) == ("SOCKETS_PER_USER", witness.name)


async def test_refused_access_tokens_are_recorded_wherever_they_come(witness: Witness) -> None:
    assert (await witness.http.get("/api/auth/me", headers={"Authorization": "Bearer x"})).status_code == 401
    async with raw_client(witness.server, "/ws?token=x", f"X-Forwarded-For: {witness.address}\r\n") as client:
        assert await client.is_closed() == 4401
    assert [line["credential"] for line in witness.lines(AuditEvent.TOKEN_REFUSED)] == ["access"] * 2


async def test_a_refused_auth_command_names_the_login(server: ChatServer, alice: Person) -> None:
    async with alice.connects() as seat:
        await seat.does("auth", token="x", ref=1)
        await seat.hears("error", ref=1)
        session = seat.ready["session_id"]
    found = [line for line in server.log.read_text().splitlines() if "token.refused" in line]
    assert any(json.loads(line).get("session") == session for line in found)


async def test_a_new_password_names_every_login_that_it_ends(server: ChatServer) -> None:
    phone = await sign_up(server, f"audited {next(_names)}")
    laptop = await sign_in(server, phone.username)
    async with phone.connects() as seat:
        change = {"current_password": PASSWORD, "new_password": "battery staple"}
        assert (await laptop.http.post("/api/auth/password", json=change)).status_code == 204
        session = seat.ready["session_id"]
    ended = [json.loads(line) for line in server.log.read_text().splitlines() if "session.ended" in line]
    (line,) = [line for line in ended if line["session"] == session]
    assert (line["user"], line["reason"]) == (phone.username, "new password")
    for person in (phone, laptop):
        await person.http.aclose()
