"""`/docs` and `/redoc`: they show the whole interface and ask no other host for anything."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")


def hosts_asked(page: Page, address: str) -> set[str]:
    """Open a page, and return the hosts it asked until the network was idle."""
    hosts: set[str] = set()
    page.goto("about:blank")
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(address, wait_until="networkidle")
    return hosts - {""}  # what a page makes itself, `blob:` and `data:`, has no host


def test_swagger_ui_shows_the_operations_and_asks_no_other_host(
    server: ChatServer, new_page: NewPage
) -> None:
    page = new_page(server)
    assert hosts_asked(page, f"{server.url}/docs") == {urlsplit(server.url).netloc}
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
    expect(page.locator(".opblock").filter(has_text="/api/rooms").first).to_be_visible()


def test_redoc_shows_the_operations_and_asks_no_other_host(server: ChatServer, new_page: NewPage) -> None:
    page = new_page(server)
    assert hosts_asked(page, f"{server.url}/redoc") == {urlsplit(server.url).netloc}
    expect(page.get_by_role("heading", name="Chat backend").first).to_be_visible()
    expect(page.get_by_role("link", name="Redocly")).to_be_visible()
    expect(page.get_by_role("img", name="redocly logo")).to_have_count(0)
