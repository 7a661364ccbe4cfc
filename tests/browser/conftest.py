"""A real Chromium. Page errors, console errors and violations of the content security policy fail the test."""

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, expect, sync_playwright

from tests.browser.panes import PATIENCE
from tests.browser.rest_users import RestUser, Room
from tests.support.server import ChatServer

WIDE = {"width": 1280, "height": 800}
FLAGS = [
    "--no-sandbox",  # Chromium has no sandbox for root, and CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SERVER_DOWN = re.compile(
    r"^WebSocket connection to .* failed|net::ERR_(CONNECTION_REFUSED|EMPTY_RESPONSE|CONNECTION_RESET)"
)
"""What Chromium itself logs to the console while a server is down."""

_numbers = itertools.count(1)
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")

expect.set_options(timeout=PATIENCE * 1000)

NewPage = Callable[..., Page]
NewUser = Callable[[ChatServer, str], RestUser]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser per module: Playwright's event loop must not outlive the module, since other tests run their own."""
    program = shutil.which("chromium")
    if program is None and os.environ.get("CI"):
        pytest.fail("Chromium is not installed in CI")
    if program is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page_errors() -> list[str]:
    """Errors in the pages of this test. A test that expects an error removes it."""
    return []


@pytest.fixture
def new_page(chromium: Browser, page_errors: list[str]) -> Iterator[NewPage]:
    """Returns a function that opens `/test` of a server in a new browser window."""
    contexts = []

    def dismiss(dialog: Dialog) -> None:
        page_errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_page(server: ChatServer, **options: Any) -> Page:
        context = chromium.new_context(**{"viewport": WIDE, "locale": "en-GB"} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: page_errors.extend(errors_in(message)))
        page.on("pageerror", lambda error: page_errors.append(f"page error: {error}"))
        page.on("dialog", dismiss)
        page.goto(f"{server.url}/test")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert page_errors == []


def errors_in(message: ConsoleMessage) -> list[str]:
    """Errors and warnings, violations of the Content-Security-Policy included, unless the server is only down."""
    if message.type not in {"error", "warning"} or SERVER_DOWN.search(message.text):
        return []
    return [f"console {message.type}: {message.text} ({message.location.get('url')})"]


@pytest.fixture
def new_user() -> Iterator[NewUser]:
    """Returns a function that signs up a user with a unique name."""
    users = []

    def sign_up(server: ChatServer, name: str) -> RestUser:
        users.append(RestUser(server, f"{name}{_worker}{next(_numbers)}"))
        return users[-1]

    yield sign_up
    for user in users:
        user.http.close()


@pytest.fixture
def ann(server: ChatServer, new_user: NewUser) -> RestUser:
    return new_user(server, "ann")


@pytest.fixture
def ben(server: ChatServer, new_user: NewUser) -> RestUser:
    return new_user(server, "ben")


@pytest.fixture
def parlour(ann: RestUser) -> Room:
    """A new, empty room that Ann owns."""
    return ann.makes_room(f"Parlour {next(_numbers)}")
