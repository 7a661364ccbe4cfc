"""Every state of the pages, on three widths, in light and dark: axe-core, what fits, what a finger can hit."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.conftest import NewPage
from tests.browser.panes import Pane
from tests.browser.rest_users import PASSWORD, RestUser, Room
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")

SCREENS = {320: 640, 390: 844, 1280: 800}
PHONES_UP_TO = 640

OUT_OF_PLACE = """() => {
  const clips = (element) => getComputedStyle(element).textOverflow === "ellipsis" || element.matches(".sr-only");
  const end = document.documentElement.clientWidth + 0.5;
  const wide = ({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1;
  return [document.scrollingElement, ...document.querySelectorAll("body *")]
    .filter((element) => !clips(element) && !element.closest(".sr-only, .panes > .pane ~ .pane"))
    .filter((element) => wide(element) || element.getBoundingClientRect().right > end)
    .filter((element) => element.tagName !== "INPUT")
    .map((element) => element.dataset.part || element.className || element.tagName);
}"""
"""Elements that reach over the right edge, or whose contents reach over theirs."""

TOO_SMALL = """(least) => [...document.querySelectorAll("button, a, input, textarea")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest("p:not(.answers), td"))
  .map((element) => [element.dataset.part || element.className || element.textContent, element.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < least || height < least)
  .map(([name, { width, height }]) => `${name}: ${width} x ${height}`)"""
"""Targets below a size in pixels, but for links within a sentence."""

TOO_SMALL_TEXT = """() => [...document.querySelectorAll("input, textarea")]
  .filter((field) => parseFloat(getComputedStyle(field).fontSize) < 16).map((field) => field.dataset.part)"""
"""Fields that iOS zooms into."""


@pytest.fixture(scope="session")
def axe_source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return axe.install(tmp_path_factory.mktemp("axe"))


@pytest.fixture
def said(ann: RestUser, ben: RestUser, parlour: Room) -> None:
    first = ann.says(parlour, "Shall we have lunch at twelve? The place at the corner has a new menu.")
    answer = {"content": "Yes, gladly: " + "w" * 60, "reply_to": first}
    ben.http.post(f"/api/messages/{parlour.id}", json=answer).raise_for_status()
    ben.reacts(parlour, first, "👍")
    ann.says(ann.makes_room("Another room with a name that is far too long"), "Gone soon")


def screen(new_page: NewPage, server: ChatServer, width: int) -> Page:
    is_phone = width <= PHONES_UP_TO
    viewport = {"width": width, "height": SCREENS[width]}
    return new_page(server, viewport=viewport, has_touch=is_phone, is_mobile=is_phone)


def states(page: Page, server: ChatServer, who: RestUser, room: Room) -> Iterator[str]:
    """Bring the page into one state after the other."""
    pane = Pane(page)
    expect(pane.name).to_be_visible()
    yield "signed out"
    pane.name.fill(who.name)
    pane.password.fill("short")
    pane.press("Sign up")
    expect(pane.root.locator(".field-problem:visible")).to_have_count(1)
    yield "refused"
    pane.logs_in(who)
    toggle = pane.root.locator(".rooms-toggle")
    if toggle.is_visible():
        toggle.click()
        yield "list of rooms"
    pane.opens(room)
    message = pane.messages.first
    expect(message.locator(".chip")).to_be_visible()
    message.locator(".text").click()
    message.locator(".text").hover()
    expect(pane.root.get_by_role("toolbar")).to_be_visible()
    yield "messages"
    pane.press("Frames")
    expect(pane.frames.last).to_be_visible()
    yield "frames"
    page.goto(f"{server.url}/asyncapi")
    expect(page.locator("#codes")).to_be_visible()
    yield "protocol"


@pytest.mark.parametrize("width", SCREENS)
def test_axe_finds_no_serious_fault_in_light_and_dark(
    server: ChatServer,
    new_page: NewPage,
    page_errors: list[str],
    ann: RestUser,
    said: None,
    parlour: Room,
    axe_source: str,
    width: int,
) -> None:
    page = screen(new_page, server, width)
    found: dict[tuple[str, str], list[str]] = {}
    for state in states(page, server, ann, parlour):
        page.emulate_media(color_scheme="light")
        found[state, "light"] = axe.faults(page, axe_source)
        page.emulate_media(color_scheme="dark")
        found[state, "dark"] = axe.faults(page, axe_source, "color-contrast")
    assert {where: faults for where, faults in found.items() if faults} == {}
    forget_the_refusal(page_errors)


def forget_the_refusal(page_errors: list[str]) -> None:
    """Chromium notes the refused sign-up on its console."""
    assert len(page_errors) == 1, page_errors
    assert "422" in page_errors.pop()


def test_axe_would_find_a_fault(server: ChatServer, new_page: NewPage, axe_source: str) -> None:
    page = screen(new_page, server, 1280)
    expect(Pane(page).name).to_be_visible()
    page.evaluate("() => document.querySelector('[data-part=close]').removeAttribute('aria-label')")
    page.evaluate("() => document.querySelector('[data-part=close]').removeAttribute('title')")
    assert any(fault.startswith("button-name") for fault in axe.faults(page, axe_source))


@pytest.mark.parametrize("width", SCREENS)
def test_everything_fits_and_every_target_is_large_enough(
    server: ChatServer,
    new_page: NewPage,
    page_errors: list[str],
    ann: RestUser,
    said: None,
    parlour: Room,
    width: int,
) -> None:
    page = screen(new_page, server, width)
    is_phone = width <= PHONES_UP_TO
    found: dict[tuple[str, str], Any] = {}
    for state in states(page, server, ann, parlour):
        found[state, "out of place"] = page.evaluate(OUT_OF_PLACE)
        found[state, "too small"] = page.evaluate(TOO_SMALL, 44 if is_phone else 24)
        if is_phone:
            found[state, "small text"] = page.evaluate(TOO_SMALL_TEXT)
    assert {where: faults for where, faults in found.items() if faults} == {}
    forget_the_refusal(page_errors)


def test_the_lost_connection_is_told_on_the_narrowest_screen(
    own_server: ChatServer, new_page: NewPage
) -> None:
    ann = RestUser(own_server, "ann-with-a-rather-long-name")
    page = screen(new_page, own_server, 320)
    pane = Pane(page).logs_in(ann)
    own_server.kill()
    expect(pane.connection).to_contain_text("Reconnecting")
    assert page.evaluate(OUT_OF_PLACE) == []
    shown = pane.connection.evaluate(
        "element => element.scrollWidth <= element.clientWidth && parseFloat(getComputedStyle(element).fontSize)"
    )
    assert shown > 0
    ann.http.close()


def test_what_the_server_refuses_at_sign_up_is_told_beside_its_field(
    server: ChatServer, new_page: NewPage, page_errors: list[str], ann: RestUser
) -> None:
    pane = Pane(new_page(server))
    pane.name.fill(f"{ann.name} junior")
    pane.password.fill("short")
    pane.press("Sign up")
    expect(pane.password).to_be_focused()
    expect(pane.password).to_have_attribute("aria-invalid", "true")
    expect(pane.password).to_have_accessible_description(refusal_of(server, ann, "short"))
    expect(pane.name).not_to_have_attribute("aria-invalid", "true")
    expect(pane.problem).to_be_hidden()
    pane.password.press("End")
    pane.password.press_sequentially("er")
    expect(pane.password).to_have_accessible_description("")
    pane.name.fill(ann.name)
    pane.password.fill(PASSWORD)
    pane.press("Sign up")
    expect(pane.name).to_be_focused()
    expect(pane.name).to_have_accessible_description(re.compile("taken"))
    pane.name.fill(f"{ann.name} junior")
    pane.press("Sign up")
    expect(pane.root.get_by_role("heading", name=f"{ann.name} junior")).to_be_visible()
    assert ["422" in error or "409" in error for error in page_errors] == [True, True]
    page_errors.clear()


def refusal_of(server: ChatServer, who: RestUser, password: str) -> str:
    """What the server says about a password."""
    answer = who.http.post("/api/auth/signup", json={"username": "anybody", "password": password})
    assert answer.status_code == 422
    return f"{answer.json()['errors'][0]['msg']}."
