"""What is handy on a laptop is said to be a door where others can reach it, in one line of the log for each."""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.support.people import sign_in
from tests.support.server import ChatServer

EVERYWHERE = "0.0.0.0"
OWN = secrets.token_urlsafe(48)
WELL_KNOWN = "your-secret-key-change-this-in-production"
SAMPLES = ["admin", "user1", "user2"]


def warnings(server: ChatServer) -> dict[str, dict[str, Any]]:
    """The warnings of the last start; each is there once. Of what is said later, other tests are the cause."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    found = [line for line in lines if line["level"] == "warning" and line["event"].endswith(".exposed")]
    assert len({line["event"] for line in found}) == len(found)
    return {line["event"]: line for line in found}


@pytest.mark.parametrize("kind, key", [("well-known", WELL_KNOWN), ("generated", None)])
def test_a_server_for_development_that_others_can_reach(tmp_path: Path, kind: str, key: str | None) -> None:
    given = {"secret_key": key} if key else {}
    with ChatServer(tmp_path, (), host=EVERYWHERE, **given) as server:
        told = warnings(server)
    assert told.keys() == {"samples.exposed", "key.exposed"}
    assert (told["samples.exposed"]["host"], told["samples.exposed"]["accounts"]) == (EVERYWHERE, SAMPLES)
    assert (told["key.exposed"]["host"], told["key.exposed"]["kind"]) == (EVERYWHERE, kind)


def test_nothing_is_said_where_nobody_can_reach_it(server: ChatServer) -> None:
    assert not warnings(server).keys() & {"samples.exposed", "key.exposed"}


def test_nothing_is_said_of_a_key_of_one_s_own_and_no_samples(tmp_path: Path) -> None:
    with ChatServer(tmp_path, (), host=EVERYWHERE, secret_key=OWN, sample_data=False) as server:
        assert warnings(server) == {}


async def test_production_on_a_database_of_development(tmp_path: Path) -> None:
    """No samples are made there, but those that were made are still in it, until somebody changes their passwords."""
    server = ChatServer(tmp_path)
    with server:
        admin = await sign_in(server, "admin", "admin123")
        change = {"current_password": "admin123", "new_password": "my own and long"}
        assert (await admin.http.post("/api/auth/password", json=change)).status_code == 204
        await admin.http.aclose()
    server.settings |= {"ENVIRONMENT": "production", "SECRET_KEY": OWN}
    with server:
        told = warnings(server)
    assert told.keys() == {"samples.exposed"}
    assert told["samples.exposed"]["accounts"] == ["user1", "user2"]
