"""`/docs` and `/redoc`: they show the whole interface and ask no other host for anything."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")


def opened(page: Page, address: str) -> set[str]:
    """Open the page, and return the hosts that it asks, until the network is idle. Scripts of `blob:` have none."""
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(address, wait_until="networkidle")
    return hosts - {""}


def test_swagger_ui_shows_the_operations_and_asks_no_other_host(
    server: ChatServer, new_page: NewPage
) -> None:
    """Under a public name: on localhost Swagger UI leaves out the badge of a validator elsewhere."""
    page = new_page(server)
    address = f"chat.example.com:{server.port}"
    assert opened(page, f"http://{address}/docs") == {address}
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
    expect(page.locator(".opblock").filter(has_text="/api/rooms").first).to_be_visible()


def test_redoc_shows_the_operations_and_asks_no_other_host(server: ChatServer, new_page: NewPage) -> None:
    page = new_page(server)
    address = f"chat.example.com:{server.port}"
    assert opened(page, f"http://{address}/redoc") == {address}
    expect(page.get_by_role("heading", name="Chat backend", exact=False).first).to_be_visible()
    expect(page.get_by_role("link", name="Redocly")).to_be_visible()
    expect(page.get_by_role("img", name="redocly logo")).to_have_count(0)
