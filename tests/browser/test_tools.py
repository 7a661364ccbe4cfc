"""The toolbar of a pane, which moves to the message that is used."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import NewPage
from tests.browser.panes import Pane
from tests.browser.rest_users import RestUser, Room
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")

PHONE = {"width": 390, "height": 740}


@pytest.fixture
def said(ann: RestUser, ben: RestUser, parlour: Room) -> None:
    ann.says(parlour, "Mine")
    ann.says(parlour, "Mine too")
    ben.says(parlour, "Not mine")


@pytest.fixture
def anns(server: ChatServer, new_page: NewPage, ann: RestUser, said: None, parlour: Room) -> Pane:
    pane = Pane(new_page(server)).logs_in(ann, parlour)
    pane.shows("Mine", "Mine too", "Not mine")
    return pane


@pytest.fixture
def on_a_phone(server: ChatServer, new_page: NewPage, ann: RestUser, said: None, parlour: Room) -> Pane:
    pane = Pane(new_page(server, viewport=PHONE, has_touch=True, is_mobile=True)).logs_in(ann)
    pane.root.locator(".rooms-toggle").tap()
    pane.link_to(parlour).tap()
    pane.shows("Mine", "Mine too", "Not mine")
    return pane


def tools(where: Pane | Locator) -> Locator:
    return (where.root if isinstance(where, Pane) else where).get_by_role("toolbar", name="Message actions")


def test_there_is_one_toolbar_and_it_follows_the_mouse(anns: Pane) -> None:
    expect(tools(anns)).to_have_count(0)
    for text in "Mine", "Not mine", "Mine too":
        anns.message(text).hover()
        expect(tools(anns.message(text))).to_be_visible()
        expect(tools(anns)).to_have_count(1)
    anns.draft.hover()
    expect(tools(anns)).to_have_count(0)


def test_the_message_with_the_keyboards_focus_keeps_the_toolbar(anns: Pane) -> None:
    keyboard = anns.page.keyboard
    while not anns.messages.last.evaluate("element => element === document.activeElement"):
        keyboard.press("Shift+Tab")
    expect(tools(anns.message("Not mine"))).to_be_visible()
    anns.message("Mine").hover()
    expect(tools(anns.message("Not mine"))).to_be_visible()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(anns.message("Not mine").locator(".chip")).to_have_text("👍 1")
    expect(anns.message("Not mine").get_by_role("button", name="React with 👍")).to_be_focused()
    anns.draft.focus()
    expect(tools(anns.message("Mine"))).to_be_visible()  # the mouse is still there


def test_a_second_click_on_delete_counts_only_for_the_same_message(anns: Pane) -> None:
    anns.does("Delete", "Mine")
    expect(anns.message("Mine").get_by_role("button", name="Really delete?")).to_be_visible()
    anns.message("Mine too").hover()
    expect(anns.message("Mine too").get_by_role("button", name="Delete", exact=True)).to_be_visible()
    expect(anns.root.get_by_role("button", name="Really delete?")).to_have_count(0)


def test_the_focus_stays_at_a_message_that_is_deleted_with_the_keyboard(anns: Pane) -> None:
    message = anns.messages.nth(1)
    anns.message("Mine too").hover()
    delete = message.get_by_role("button", name="Delete", exact=True)
    delete.focus()
    anns.page.keyboard.press("Enter")
    anns.page.keyboard.press("Enter")
    anns.shows("Mine", "This message was deleted.", "Not mine")
    expect(message).to_be_focused()
    expect(tools(message)).to_have_count(0)


def test_a_message_that_is_deleted_elsewhere_loses_the_toolbar(
    anns: Pane, ann: RestUser, parlour: Room
) -> None:
    anns.message("Mine too").hover()
    expect(tools(anns)).to_be_visible()
    ann.http.delete(f"/api/messages/{parlour.id}/2").raise_for_status()
    anns.shows("Mine", "This message was deleted.", "Not mine")
    expect(tools(anns)).to_have_count(0)


def test_a_tap_shows_the_toolbar_below_the_text_and_another_one_hides_it(on_a_phone: Pane) -> None:
    message = on_a_phone.message("Mine too")
    text = message.locator(".text")
    text.tap()
    expect(tools(message)).to_be_in_viewport()
    assert bottom(text) <= tools(message).evaluate("element => element.getBoundingClientRect().top")
    on_a_phone.message("Not mine").locator(".text").tap()
    expect(tools(on_a_phone.message("Not mine"))).to_be_in_viewport()
    expect(tools(on_a_phone)).to_have_count(1)
    on_a_phone.message("Not mine").locator(".text").tap()
    expect(tools(on_a_phone)).to_have_count(0)


def bottom(element: Locator) -> float:
    edge: float = element.evaluate("element => element.getBoundingClientRect().bottom")
    return edge


def test_a_tap_on_a_tool_acts_and_hides_the_toolbar(on_a_phone: Pane) -> None:
    message = on_a_phone.message("Not mine")
    message.locator(".text").tap()
    message.get_by_role("button", name="React with 🎉").tap()
    expect(message.locator(".chip")).to_have_text("🎉 1")
    expect(tools(on_a_phone)).to_have_count(0)
    on_a_phone.message("Mine").locator(".text").tap()
    on_a_phone.message("Mine").get_by_role("button", name="Delete", exact=True).tap()
    on_a_phone.message("Mine").get_by_role("button", name="Really delete?").tap()
    on_a_phone.shows("This message was deleted.", "Mine too", "Not mine")
