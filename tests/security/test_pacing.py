"""Who is too fast over a socket is read more slowly: nothing is refused, nothing is lost, nobody else waits."""

import time

from tests.support.people import sign_in
from tests.support.problems import check_problem
from tests.support.rawclient import frame, raw_client
from tests.support.server import ChatServer

AT_ONCE = 120
BURST, RATE = 20, 50


async def test_commands_that_come_too_fast_are_all_carried_out_in_order(limited: ChatServer) -> None:
    eager, calm = [await sign_in(limited, name, "password123") for name in ("user1", "user2")]
    path = f"/ws/chat/2?token={eager.token}"
    async with raw_client(limited, path) as flood, calm.enters(2) as bystander:
        await flood.hears("ready")
        commands = [
            b'{"type": "message", "content": "%d", "ref": %d}' % (number, number) for number in range(AT_ONCE)
        ]
        start = time.monotonic()
        await flood.sends(*map(frame, commands))
        await bystander.says("me too")
        await bystander.hears("message", message="me too")
        waited = time.monotonic() - start
        said = [await flood.hears("message") for _ in range(AT_ONCE + 1)]
        taken = time.monotonic() - start
        while (await bystander.hears("message"))["message"] != str(AT_ONCE - 1):
            pass
    assert [one["message"] for one in said if one["sender"] == "user1"] == [str(n) for n in range(AT_ONCE)]
    assert "error" not in {event["type"] for event in flood.heard}
    assert taken > (AT_ONCE - BURST) / RATE * 0.9, "it was slowed down"
    assert waited < taken / 2, "and nobody else was"
    acks = [event["ref"] for event in flood.heard if event["type"] == "ack"]
    assert acks == sorted(acks)
    for person in (eager, calm):
        await person.http.aclose()


async def test_requests_that_come_too_fast_are_asked_to_wait(limited: ChatServer) -> None:
    """Over REST nobody can be read more slowly, but a client can be told how long to wait."""
    admin = await sign_in(limited, "admin", "admin123")
    answers = [await admin.http.get("/api/auth/me") for _ in range(BURST * 10)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(answers) - len(refused) >= BURST
    assert refused, "200 requests take less than four seconds here"
    for answer in refused:
        assert check_problem(answer, 429) == "too_fast"
        assert int(answer.headers["Retry-After"]) == 1
    await admin.http.aclose()
