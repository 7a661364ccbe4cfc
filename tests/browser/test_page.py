"""The page itself: accessibility, small screens, contrast, content security policy, login."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NewPage
from tests.browser.panes import Pane
from tests.browser.rest_users import PASSWORD, RestUser, Room
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")

PHONE = {"width": 360, "height": 740}


def test_the_page_can_be_used_with_the_keyboard_alone(
    server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room
) -> None:
    page = new_page(server)
    pane = Pane(page)
    reach(page, pane.name)
    page.keyboard.type(ann.name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(pane.draft).to_be_focused()
    reach(page, pane.link_to(parlour), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(pane.draft).to_be_focused()
    page.keyboard.type("First")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second")
    page.keyboard.press("Enter")
    pane.shows("First\nsecond")
    page.keyboard.press("ArrowUp")
    expect(pane.draft).to_have_value("First\nsecond")
    page.keyboard.press("Escape")
    expect(pane.draft).to_have_value("")
    reach(page, pane.messages.last, "Shift+Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(pane.messages.last.locator(".chip")).to_have_text("👍 1")


def reach(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press the key until the element has the focus, and check that its outline is visible."""
    for _ in range(30):
        page.keyboard.press(key)
        if wanted.evaluate("element => element === document.activeElement"):
            outline = wanted.evaluate("element => getComputedStyle(element).outlineStyle")
            assert outline != "none"
            return
    pytest.fail(f"{key} does not lead to {wanted}")


def test_every_button_and_field_has_an_accessible_name(
    server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room
) -> None:
    page = new_page(server)
    pane = Pane(page).logs_in(ann, parlour)
    pane.press("Frames")
    pane.says("Something")
    pane.shows("Something")
    snapshot = page.locator("body").aria_snapshot()
    assert "textbox" in snapshot
    assert not re.search(r"- (button|textbox|link)(:|$)", snapshot, re.MULTILINE), snapshot


def test_the_page_fits_a_phone_without_horizontal_scrolling(
    server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room, tmp_path: Path
) -> None:
    page = new_page(server, viewport=PHONE, has_touch=True, is_mobile=True)
    pane = Pane(page)
    expect(pane.name).to_be_visible()
    assert page.locator(".pane").count() == 1
    assert_fits(page)
    pane.name.fill(ann.name)
    pane.password.fill(PASSWORD)
    pane.press("Log in")
    expect(pane.connection).to_have_text("Connected")
    pane.press("Rooms")
    assert_fits(page)
    pane.opens(parlour)
    expect(pane.link_to(parlour)).to_be_hidden()
    for text in ("W" * 300, "https://example.org/" + "a/" * 100, "A few words"):
        pane.says(text)
        expect(pane.messages.filter(has_text=text)).to_be_in_viewport()
    pane.press("Frames")
    expect(pane.frames.last).to_be_visible()
    assert_fits(page)
    page.screenshot(path=tmp_path / "phone.png")


def assert_fits(page: Page) -> None:
    """Nothing is wider than the screen, neither the page nor a pane or a message in it."""
    wide = page.evaluate(
        """() => [document.scrollingElement, ...document.querySelectorAll(".panes, .pane *")]
            .filter((element) => getComputedStyle(element).textOverflow !== "ellipsis")
            .filter((element) => element.scrollWidth > document.documentElement.clientWidth)
            .map((element) => element.className || element.tagName)"""
    )
    assert wide == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast_in_light_and_dark(
    server: ChatServer,
    new_page: NewPage,
    ann: RestUser,
    ben: RestUser,
    parlour: Room,
    tmp_path: Path,
    scheme: str,
) -> None:
    page = new_page(server, color_scheme=scheme)
    pane = Pane(page).logs_in(ann, parlour)
    ben.says(parlour, "How does it look?")
    pane.says("Quite well")
    pane.shows("How does it look?", "Quite well")
    pane.press("Frames")
    page.screenshot(path=tmp_path / f"{scheme}.png")
    backdrop = page.evaluate("getComputedStyle(document.querySelector('.pane')).backgroundColor")
    assert (luminance(rgb(page, backdrop)) < 0.05) == (scheme == "dark")
    for name in (
        ".text",
        ".byline b",
        ".byline time",
        ".here",
        ".frame code",
        ".frame time",
        ".room-link",
        ".button",
    ):
        assert contrast(page, page.locator(name).first) >= 4.5, name  # WCAG 2.2, 1.4.3


def contrast(page: Page, element: Locator) -> float:
    """The contrast of the text with the first opaque background behind it (WCAG 2.2)."""
    text, behind = element.evaluate(
        """(element) => {
            const colour = (each) => getComputedStyle(each).backgroundColor;
            let behind = element;
            while (/, 0\\)$|^transparent$/.test(colour(behind))) behind = behind.parentElement;
            return [getComputedStyle(element).color, colour(behind)];
        }"""
    )
    high, low = sorted((luminance(rgb(page, text)), luminance(rgb(page, behind))), reverse=True)
    return (high + 0.05) / (low + 0.05)


def rgb(page: Page, colour: str) -> list[int]:
    """Any CSS colour as the screen shows it."""
    painted: list[int] = page.evaluate(
        """(colour) => {
            const brush = new OffscreenCanvas(1, 1).getContext("2d");
            brush.fillStyle = colour;
            brush.fillRect(0, 0, 1, 1);
            return [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }""",
        colour,
    )
    return painted


def luminance(channels: list[int]) -> float:
    linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_content_security_policy_blocks_injected_scripts_and_styles(
    server: ChatServer, new_page: NewPage, page_errors: list[str]
) -> None:
    page = new_page(server)
    fired: Any = page.evaluate(
        """() => {
            const image = document.createElement("div");
            image.innerHTML = "<img src='' onerror='window.fired = true'><p style='position: fixed'>x</p>";
            document.body.append(image);
            const script = document.createElement("script");
            script.textContent = "window.fired = true";
            document.body.append(script);
            return window.fired ?? false;
        }"""
    )
    assert fired is False
    assert page.evaluate("window.fired ?? false") is False
    refused = [error for error in page_errors if "Content Security Policy" in error]
    assert len(refused) >= 2, page_errors
    page_errors.clear()


def test_a_wrong_password_is_reported_and_the_same_form_signs_up(
    server: ChatServer, new_page: NewPage, page_errors: list[str], ann: RestUser
) -> None:
    pane = Pane(new_page(server))
    pane.name.fill(ann.name)
    pane.password.fill("wrong horse")
    pane.press("Log in")
    expect(pane.problem).to_have_text("The name or the password is wrong.")
    pane.name.fill(f"{ann.name} junior")
    pane.press("Sign up")
    expect(pane.root.get_by_role("heading", name=f"{ann.name} junior")).to_be_visible()
    expect(pane.problem).to_be_hidden()
    assert len(page_errors) == 1, page_errors
    assert "401" in page_errors.pop()  # Chromium's own note about the refused login


def test_sample_accounts_are_one_click_away_in_development(server: ChatServer, new_page: NewPage) -> None:
    pane = Pane(new_page(server))
    pane.press("user1")
    expect(pane.root.get_by_role("heading", name="user1")).to_be_visible()
    for room in "General", "Random", "Tech Talk":
        expect(pane.link_to(Room(0, room))).to_be_visible()


def test_sample_accounts_are_not_offered_in_production(tmp_path: Path, new_page: NewPage) -> None:
    with ChatServer(
        tmp_path, environment="production", pages="all", secret_key="k" * 8 + "-0123456789-abcdefgh-XYZ"
    ) as server:
        pane = Pane(new_page(server))
        expect(pane.name).to_be_visible()
        expect(pane.root.get_by_text("Sample accounts")).to_be_hidden()
        assert pane.root.get_by_role("button", name="user1").count() == 0


def test_panes_can_be_added_and_closed(server: ChatServer, new_page: NewPage, ann: RestUser) -> None:
    page = new_page(server)
    panes = page.locator(".pane")
    expect(panes).to_have_count(2)
    page.get_by_role("button", name="Add a pane").click()
    expect(panes).to_have_count(3)
    expect(Pane(page, 2).name).to_be_focused()
    Pane(page, 2).logs_in(ann)
    for _ in range(3):
        Pane(page).press("Close this pane")
    expect(panes).to_have_count(1)
    expect(Pane(page).name).to_be_visible()
