"""Logs: no token and no password is printed, whichever logger writes the line."""

import json
import logging

import pytest

from app.core.logs import configure_logging, log, redact

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJlLW9mLWl0"
CANARY = "hunter2-s3cret"

LEAKS = {
    "the query string of a socket": f'127.0.0.1:5 - "WebSocket /ws/chat/1?token={JWT}" [accepted]',
    "a token of another kind in a query": f"/ws?since=3&token={CANARY}&x=1",
    "an encoded token": f"GET /x?access_token={CANARY} HTTP/1.1",
    "JSON": f'{{"username": "bob", "password": "{CANARY}"}}',
    "JSON without spaces": f'{{"refresh_token":"{CANARY}"}}',
    "a Python dict": f"{{'current_password': '{CANARY}', 'new_password': '{CANARY}'}}",
    "a keyword": f"Credentials(username='bob', password='{CANARY}')",
    "a setting": f"SECRET_KEY={CANARY}",
    "a header": f"Authorization: Bearer {CANARY}",
    "a subprotocol": f"sec-websocket-protocol: bearer, {CANARY}",
    "a subprotocol in a list": f"('bearer', '{JWT}')",
    "an opaque token in a list": f"'subprotocols': ['bearer', '{CANARY}']",
    "capitals": f"Token={CANARY}",
    "a JWT on its own": f"could not read {JWT}",
    "a password of several words": f'{{"password": "my {CANARY}", "x": 1}}',
    "a password with a quote in it": json.dumps({"password": f'a"{CANARY}'}),
    "escaped JSON in JSON": json.dumps({"event": json.dumps({"password": CANARY})}),
}


@pytest.mark.parametrize("what", LEAKS)
def test_a_secret_is_redacted(what: str) -> None:
    redacted = redact(LEAKS[what])
    assert CANARY not in redacted
    assert JWT.rsplit(".", 1)[1] not in redacted
    assert "[redacted]" in redacted


@pytest.mark.parametrize(
    "line",
    [
        "alice said: my password is safe with me",
        '127.0.0.1 - "GET /api/rooms HTTP/1.1" 200',
        "tokens are checked, and passwords too",
        '{"event": "samples.planted", "accounts": ["admin"]}',
    ],
)
def test_lines_without_secrets_are_unchanged(line: str) -> None:
    assert redact(line) == line


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_logger_prints_a_secret(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    kept = logging.getLogger().handlers, logging.getLogger().level
    try:
        configure_logging("info", log_format)
        log.info("login", token=JWT, password=CANARY)
        logging.getLogger("uvicorn.error").info(
            '%s - "WebSocket %s" [accepted]', "1.2.3.4", f"/ws?token={JWT}"
        )
        logging.getLogger("another.library").warning("Bearer %s", CANARY)
        try:
            raise ValueError(f"password={CANARY}")
        except ValueError:
            log.exception("failed")
    finally:
        logging.getLogger().handlers, logging.getLogger().level = kept
    printed = capsys.readouterr().err
    assert printed.count("[redacted]") >= 5
    assert CANARY not in printed
    assert JWT not in printed


def test_in_json_every_line_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    kept = logging.getLogger().handlers, logging.getLogger().level
    try:
        configure_logging("info", "json")
        log.info("room.made", room_id=7, name='with "quotes"\nand breaks')
        logging.getLogger("uvicorn.error").error("plain %s", "words")
        log.debug("not at this level")
    finally:
        logging.getLogger().handlers, logging.getLogger().level = kept
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["room.made", "plain words"]
    assert lines[0]["room_id"] == 7
    assert lines[1]["level"] == "error"


def test_the_text_around_a_secret_is_unchanged() -> None:
    line = json.dumps({"event": json.dumps({"password": "x y", "user": "bob"}), "n": 1})
    assert json.loads(json.loads(redact(line))["event"]) == {"password": "[redacted]", "user": "bob"}


def test_an_empty_token_redacts_nothing_after_it() -> None:
    line = json.dumps({"event": '1.2.3.4 - "WebSocket /ws?token=" [accepted]', "level": "info"})
    assert json.loads(redact(line))["level"] == "info"


def test_a_traceback_on_a_terminal_shows_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    """As Rich would, which is installed for the commands: a local variable may hold a password under any name."""
    kept = logging.getLogger().handlers, logging.getLogger().level

    def fail(given: str) -> None:
        raise ValueError(len(given))

    try:
        configure_logging("info", "console")
        try:
            fail(CANARY)
        except ValueError:
            log.exception("failed")
    finally:
        logging.getLogger().handlers, logging.getLogger().level = kept
    printed = capsys.readouterr().err
    assert "ValueError: 14" in printed
    assert CANARY not in printed
