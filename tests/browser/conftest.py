"""A real Chromium in which nothing goes wrong unseen: page and console errors and broken policies count."""

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, expect, sync_playwright

from tests.browser.guests import Guest, Room
from tests.browser.panes import PATIENCE
from tests.support.server import ChatServer

WIDE = {"width": 1280, "height": 800}
FLAGS = [
    "--no-sandbox",  # Chromium refuses its sandbox to root, who runs CI
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AWAY = re.compile(
    r"^WebSocket connection to .* failed|net::ERR_(CONNECTION_REFUSED|EMPTY_RESPONSE|CONNECTION_RESET)"
)
"""What Chromium itself writes to the console while a server is away."""

_numbers = itertools.count(1)
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")

expect.set_options(timeout=PATIENCE * 1000)

NewPage = Callable[..., Page]
Invite = Callable[[ChatServer, str], Guest]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module: Playwright's loop may not stay while tests of other modules run theirs."""
    program = shutil.which("chromium")
    if program is None and os.environ.get("CI"):
        pytest.fail("CI has no chromium")
    if program is None:
        pytest.skip("there is no chromium on this machine (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def wrongs() -> list[str]:
    """What went wrong in the pages of this test. A test that expects something takes it out."""
    return []


@pytest.fixture
def new_page(chromium: Browser, wrongs: list[str]) -> Iterator[NewPage]:
    """Opens `/test` of a server in a browser window of its own."""
    contexts = []

    def dismiss(dialog: Dialog) -> None:
        wrongs.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_page(server: ChatServer, **options: Any) -> Page:
        context = chromium.new_context(**{"viewport": WIDE, "locale": "en-GB"} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrongs.extend(complaint(message)))
        page.on("pageerror", lambda error: wrongs.append(f"page error: {error}"))
        page.on("dialog", dismiss)
        page.goto(f"{server.url}/test")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrongs == []


def complaint(message: ConsoleMessage) -> list[str]:
    """An error or a warning, a broken Content-Security-Policy among them, unless the server is just away."""
    if message.type not in {"error", "warning"} or AWAY.search(message.text):
        return []
    return [f"console {message.type}: {message.text} ({message.location.get('url')})"]


@pytest.fixture
def invite() -> Iterator[Invite]:
    """Signs somebody up at a server, under a name nobody has yet."""
    guests = []

    def sign_up(server: ChatServer, name: str) -> Guest:
        guests.append(Guest(server, f"{name}{_worker}{next(_numbers)}"))
        return guests[-1]

    yield sign_up
    for guest in guests:
        guest.http.close()


@pytest.fixture
def ann(server: ChatServer, invite: Invite) -> Guest:
    return invite(server, "ann")


@pytest.fixture
def ben(server: ChatServer, invite: Invite) -> Guest:
    return invite(server, "ben")


@pytest.fixture
def parlour(ann: Guest) -> Room:
    """A room of Ann's, new and empty."""
    return ann.makes_room(f"Parlour {next(_numbers)}")
