"""The operation ids of `/openapi.json`, from which generators name the methods of a client."""

import re
from collections import Counter

from app.core.config import Settings
from app.main import create_app

STABLE = {
    "GET /api/auth/me": "get_me",
    "GET /api/auth/sessions": "list_sessions",
    "DELETE /api/auth/sessions/{session_id}": "end_session",
    "POST /api/auth/signup": "sign_up",
    "POST /api/auth/login": "login",
    "POST /api/auth/token": "login_with_form",
    "POST /api/auth/refresh": "refresh_tokens",
    "POST /api/auth/logout": "logout",
    "POST /api/auth/password": "change_password",
    "GET /api/rooms": "list_rooms",
    "POST /api/rooms": "create_room",
    "GET /api/rooms/{room_id}": "get_room",
    "GET /api/rooms/{room_id}/presence": "get_presence",
    "GET /api/messages/{room_id}": "get_history",
    "POST /api/messages/{room_id}": "send_message",
    "GET /api/messages/{room_id}/recent": "get_recent",
    "GET /api/messages/{room_id}/changes": "get_changes",
    "PATCH /api/messages/{room_id}/{message_id}": "edit_message",
    "DELETE /api/messages/{room_id}/{message_id}": "delete_message",
    "GET /health": "check_health",
    "GET /health/live": "check_liveness",
    "GET /health/ready": "check_readiness",
}
"""Generated clients call these names: one that changes breaks them."""


def operations() -> dict[str, str]:
    document = create_app(Settings(secret_key="k" * 48)).openapi()
    return {
        f"{method.upper()} {path}": operation["operationId"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_operation_ids_stay_what_they_are() -> None:
    assert STABLE.items() <= operations().items()


def test_operation_ids_are_readable_and_unique() -> None:
    found = operations()
    assert [name for name, count in Counter(found.values()).items() if count > 1] == []
    for operation, name in found.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+){0,3}", name), operation
        assert "_api_" not in name, f"{operation} has a machine's name"
