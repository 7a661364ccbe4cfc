"""Whatever is asked over REST, no answer is a 500, and each is declared in `/openapi.json`, with the form it has."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.core.config import Settings
from app.main import create_app
from tests.reliability.crowd import KEY, add_members
from tests.support.people import PATIENCE
from tests.support.server import ChatServer

GENERAL = 1
MESSAGES = 4
LOGINS = 200
EXAMPLES = 20
"""For each operation, besides those at the limits of each parameter: together some twenty seconds."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


schema = schemathesis.openapi.from_dict(create_app(Settings(secret_key=KEY)).openapi())
pytestmark = pytest.mark.xdist_group("openapi")  # one server for them all


class Api:
    """A server, and more logins than are ended while it is asked."""

    def __init__(self, url: str, tokens: list[str]) -> None:
        self.url = url
        self._first, *self._others = tokens

    def headers(self, path: str) -> dict[str, str]:
        token = self._others.pop() if path == "/api/auth/logout" else self._first
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with a room in which something has been said."""
    with ChatServer(tmp_path_factory.mktemp("openapi"), (), secret_key=KEY) as server:
        found = Api(server.url, add_members(server, GENERAL, LOGINS))
        with httpx.Client(base_url=server.url, headers=found.headers("/"), timeout=PATIENCE) as http:
            for number in range(MESSAGES):
                http.post(f"/api/messages/{GENERAL}", json={"content": f"{number}"}).raise_for_status()
        yield found


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_every_answer_is_as_declared(case: schemathesis.Case[Any], api: Api) -> None:
    in_what_is_there(case)
    case.call_and_validate(base_url=api.url, headers=api.headers(case.path), checks=CHECKS)


def in_what_is_there(case: schemathesis.Case[Any]) -> None:
    """Of all the numbers there are, point at least some at a room and at messages that exist."""
    room, message = case.path_parameters.get("room_id"), case.path_parameters.get("message_id")
    if isinstance(room, int) and room % 2:
        case.path_parameters["room_id"] = GENERAL
    if isinstance(message, int) and message % 3:
        case.path_parameters["message_id"] = message % (MESSAGES + 2)
