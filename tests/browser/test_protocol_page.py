"""`/asyncapi`: the page that shows the protocol of the socket."""

import re

import pytest
from playwright.sync_api import expect

from app.schemas.asyncapi import document as asyncapi
from app.schemas.asyncapi import examples
from app.schemas.close_codes import CLOSES
from tests.browser.conftest import NewPage
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")

PHONE = {"width": 360, "height": 740}


def test_the_page_shows_every_command_event_and_close_code_and_loads_nothing_external(
    server: ChatServer, new_page: NewPage
) -> None:
    page = new_page(server)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{server.url}/asyncapi")
    for model in asyncapi.COMMAND_MODELS + asyncapi.EVENT_MODELS:
        entry = page.locator(f"#{model.__name__}")
        expect(entry.get_by_role("heading")).to_have_text(asyncapi.type_of(model))
        for name in model.model_fields:
            expect(entry.locator("tbody th code").get_by_text(name, exact=True)).to_be_visible()
    expect(page.locator(".example")).to_have_count(
        len(examples.COMMAND_EXAMPLES) + len(examples.EVENT_EXAMPLES)
    )
    expect(page.locator("#codes tbody th")).to_have_text([str(close.code) for close in CLOSES])
    assert {url.startswith(server.url) for url in requested} == {True}


def test_a_command_links_to_its_answers(server: ChatServer, new_page: NewPage) -> None:
    page = new_page(server)
    page.goto(f"{server.url}/asyncapi#Subscribe")
    answers = page.locator("#Subscribe .answers")
    expect(answers).to_have_text("answered by synced or error")
    answers.get_by_role("link", name="synced").click()
    expect(page).to_have_url(re.compile("#Synced$"))
    expect(page.locator("#Synced")).to_be_in_viewport()


def test_an_address_with_an_anchor_scrolls_to_that_message(server: ChatServer, new_page: NewPage) -> None:
    page = new_page(server)
    page.goto(f"{server.url}/asyncapi#Goodbye")
    expect(page.locator("#Goodbye")).to_be_in_viewport()


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_page_fits_a_phone_without_horizontal_scrolling(
    server: ChatServer, new_page: NewPage, color_scheme: str
) -> None:
    page = new_page(server, viewport=PHONE, color_scheme=color_scheme)
    page.goto(f"{server.url}/asyncapi")
    expect(page.locator("#codes")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    for frame in page.locator(".table-frame").all():
        assert frame.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_the_page_reports_a_document_that_cannot_be_loaded(
    server: ChatServer, new_page: NewPage, page_errors: list[str]
) -> None:
    page = new_page(server)
    page.route("**/asyncapi.json", lambda route: route.fulfill(status=503))
    page.goto(f"{server.url}/asyncapi")
    expect(page.get_by_text("the server answered 503")).to_be_visible()
    assert len(page_errors) == 1, "Chromium itself logs the 503"
    page_errors.clear()
