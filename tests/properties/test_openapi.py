"""For any REST request, the answer is not a 500, and `/openapi.json` declares its status, headers and body."""

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
"""Per operation, in addition to the limits of each parameter: about twenty seconds in total."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


schema = schemathesis.openapi.from_dict(create_app(Settings(secret_key=KEY)).openapi())
pytestmark = pytest.mark.xdist_group("openapi")  # one server for all operations


class Api:
    """A server with more logins than the requests to `/api/auth/logout` end."""

    def __init__(self, url: str, tokens: list[str]) -> None:
        self.url = url
        self._first, *self._others = tokens

    def headers(self, path: str) -> dict[str, str]:
        token = self._others.pop() if path == "/api/auth/logout" else self._first
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with messages in one room."""
    with ChatServer(tmp_path_factory.mktemp("openapi"), (), secret_key=KEY) as server:
        found = Api(server.url, add_members(server, GENERAL, LOGINS))
        with httpx.Client(base_url=server.url, headers=found.headers("/"), timeout=PATIENCE) as http:
            for number in range(MESSAGES):
                http.post(f"/api/messages/{GENERAL}", json={"content": f"{number}"}).raise_for_status()
        yield found


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_every_answer_is_as_declared(case: schemathesis.Case[Any], api: Api) -> None:
    use_existing_ids(case)
    case.call_and_validate(base_url=api.url, headers=api.headers(case.path), checks=CHECKS)


def use_existing_ids(case: schemathesis.Case[Any]) -> None:
    """Point some of the generated ids at a room and at messages that exist."""
    room, message = case.path_parameters.get("room_id"), case.path_parameters.get("message_id")
    if isinstance(room, int) and room % 2:
        case.path_parameters["room_id"] = GENERAL
    if isinstance(message, int) and message % 3:
        case.path_parameters["message_id"] = message % (MESSAGES + 2)
