"""`/docs` and `/redoc`: they show the whole interface and ask no other host for anything."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")

HTTP = "The Cross-Origin-Opener-Policy header has been ignored"
"""What Chromium says of a public name without TLS."""


@pytest.fixture
def open_page(
    server: ChatServer, new_page: NewPage, page_errors: list[str]
) -> Iterator[Callable[[str], tuple[Page, set[str]]]]:
    """Returns a function that opens a path, and returns the page and the hosts it asked until the network was idle.

    Under a public name: on localhost Swagger UI leaves out the badge of a validator elsewhere.
    """

    def opened(path: str) -> tuple[Page, set[str]]:
        page = new_page(server)
        page.goto("about:blank")
        hosts: set[str] = set()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.goto(f"http://chat.example.com:{server.port}{path}", wait_until="networkidle")
        return page, hosts - {""}  # what a page makes itself, `blob:`, has no host

    yield opened
    page_errors[:] = [error for error in page_errors if HTTP not in error]


def test_swagger_ui_shows_the_operations_and_asks_no_other_host(
    server: ChatServer, open_page: Callable[[str], tuple[Page, set[str]]]
) -> None:
    page, hosts = open_page("/docs")
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
    expect(page.locator(".opblock").filter(has_text="/api/rooms").first).to_be_visible()
    assert hosts == {f"chat.example.com:{server.port}"}


def test_redoc_shows_the_operations_and_asks_no_other_host(
    server: ChatServer, open_page: Callable[[str], tuple[Page, set[str]]]
) -> None:
    page, hosts = open_page("/redoc")
    expect(page.get_by_role("heading", name="Chat backend").first).to_be_visible()
    expect(page.get_by_role("link", name="Redocly")).to_be_visible()
    expect(page.get_by_role("img", name="redocly logo")).to_have_count(0)
    assert hosts == {f"chat.example.com:{server.port}"}
