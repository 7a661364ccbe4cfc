"""Development defaults are reported in the log if other machines can reach the server, in one line each."""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.support.people import sign_in
from tests.support.plain import plain_uvicorn
from tests.support.server import ChatServer

EVERYWHERE = "0.0.0.0"
OWN = secrets.token_urlsafe(48)
WELL_KNOWN = "your-secret-key-change-this-in-production"
SAMPLES = ["admin", "user1", "user2"]


def warnings(server: ChatServer) -> dict[str, dict[str, Any]]:
    """The warnings about exposure, each of which must occur once. Other tests may cause other warnings."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    found = [line for line in lines if line["level"] == "warning" and line["event"].endswith(".exposed")]
    assert len({line["event"] for line in found}) == len(found)
    return {line["event"]: line for line in found}


@pytest.mark.parametrize("kind, key", [("well-known", WELL_KNOWN), ("generated", None)])
def test_a_development_server_that_others_can_reach_warns_of_samples_and_key(
    tmp_path: Path, kind: str, key: str | None
) -> None:
    settings = {"secret_key": key} if key else {}
    with ChatServer(tmp_path, (), host=EVERYWHERE, **settings) as server:
        found_warnings = warnings(server)
    assert found_warnings.keys() == {"samples.exposed", "key.exposed"}
    assert (found_warnings["samples.exposed"]["host"], found_warnings["samples.exposed"]["accounts"]) == (
        EVERYWHERE,
        SAMPLES,
    )
    assert (found_warnings["key.exposed"]["host"], found_warnings["key.exposed"]["kind"]) == (
        EVERYWHERE,
        kind,
    )


def test_a_host_given_to_uvicorn_is_known(tmp_path: Path) -> None:
    """As in the section "Development" of the document."""
    with plain_uvicorn(tmp_path, "--host", EVERYWHERE) as server:
        found_warnings = warnings(server)
    assert found_warnings.keys() == {"samples.exposed", "key.exposed"}
    assert found_warnings["samples.exposed"]["host"] == EVERYWHERE


def test_a_server_on_localhost_does_not_warn(server: ChatServer) -> None:
    assert not warnings(server).keys() & {"samples.exposed", "key.exposed"}


def test_a_server_with_its_own_key_and_no_samples_does_not_warn(tmp_path: Path) -> None:
    with ChatServer(tmp_path, (), host=EVERYWHERE, secret_key=OWN, sample_data=False) as server:
        assert warnings(server) == {}


async def test_production_on_a_development_database_warns_of_sample_accounts(tmp_path: Path) -> None:
    """No samples are created there, but existing sample accounts stay until their passwords are changed."""
    server = ChatServer(tmp_path)
    with server:
        admin = await sign_in(server, "admin", "admin123")
        change = {"current_password": "admin123", "new_password": "my own and long"}
        assert (await admin.http.post("/api/auth/password", json=change)).status_code == 204
        await admin.http.aclose()
    server.settings |= {"ENVIRONMENT": "production", "SECRET_KEY": OWN}
    with server:
        found_warnings = warnings(server)
    assert found_warnings.keys() == {"samples.exposed"}
    assert found_warnings["samples.exposed"]["accounts"] == ["user1", "user2"]
