"""Close codes. They read like HTTP: 4000 and the status (RFC 6455 section 7.4.2 leaves 4000-4999 to applications)."""

from app.core.errors import ChatError

BAD_REQUEST = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
NOT_FOUND = 4404
TOO_SLOW = 4408
TOO_FAST = 4429
GOING_AWAY = 1012
INVALID_TEXT = 1007


def close_code(error: ChatError) -> int:
    return GOING_AWAY if error.status == 503 else 4000 + error.status
