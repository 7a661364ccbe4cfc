"""The list of rooms on a phone, where it lies over the open room."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import NewPage
from tests.browser.panes import Pane
from tests.browser.rest_users import RestUser, Room
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")

PHONE = {"width": 390, "height": 740}


@pytest.fixture
def pane(server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room) -> Pane:
    ann.says(parlour, "Here already")
    pane = Pane(new_page(server, viewport=PHONE, has_touch=True, is_mobile=True)).logs_in(ann)
    unfold(pane)
    pane.link_to(parlour).tap()
    pane.shows("Here already")
    return pane


def toggle(pane: Pane) -> Locator:
    return pane.root.locator(".rooms-toggle")


def rooms(pane: Pane) -> Locator:
    return pane.root.locator(".rooms")


def unfold(pane: Pane) -> None:
    toggle(pane).tap()
    expect(rooms(pane)).to_be_visible()
    expect(toggle(pane)).to_have_attribute("aria-expanded", "true")


def is_folded(pane: Pane) -> None:
    expect(rooms(pane)).to_be_hidden()
    expect(toggle(pane)).to_have_attribute("aria-expanded", "false")


def test_the_list_takes_the_focus_and_escape_gives_it_back(pane: Pane, parlour: Room) -> None:
    unfold(pane)
    expect(pane.link_to(parlour)).to_be_focused()
    pane.page.keyboard.press("Escape")
    is_folded(pane)
    expect(toggle(pane)).to_be_focused()
    unfold(pane)
    toggle(pane).focus()
    pane.page.keyboard.press("Escape")
    is_folded(pane)


def test_a_tap_outside_closes_the_list(pane: Pane) -> None:
    for outside in ".who", ".room-name", ".scroller":
        unfold(pane)
        box = pane.root.locator(outside).bounding_box()
        assert box is not None
        pane.page.touchscreen.tap(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5)
        is_folded(pane)
        expect(toggle(pane)).to_be_focused()
    unfold(pane)
    pane.draft.tap()
    is_folded(pane)
    expect(pane.draft).to_be_focused()


def test_a_tap_inside_leaves_the_list_open(pane: Pane) -> None:
    unfold(pane)
    pane.root.get_by_label("Name of a new room").tap()
    rooms(pane).tap(position={"x": 3, "y": 3})
    expect(rooms(pane)).to_be_visible()


def test_a_chosen_room_closes_the_list_also_if_it_is_open_already(pane: Pane, parlour: Room) -> None:
    for room in parlour, Room(0, "General"), parlour:
        unfold(pane)
        pane.link_to(room).tap()
        is_folded(pane)
        expect(toggle(pane)).to_be_focused()
        expect(pane.root.get_by_role("heading", name=room.name)).to_be_visible()


def test_its_button_closes_the_list(pane: Pane) -> None:
    unfold(pane)
    toggle(pane).tap()
    is_folded(pane)
    expect(toggle(pane)).to_be_focused()


def test_a_new_room_closes_the_list(pane: Pane) -> None:
    unfold(pane)
    name = pane.root.get_by_label("Name of a new room")
    name.fill("Loft")
    name.press("Enter")
    is_folded(pane)
    expect(pane.root.get_by_role("heading", name="Loft")).to_be_visible()
    expect(toggle(pane)).to_be_focused()


def test_the_focus_that_leaves_the_list_closes_it(pane: Pane) -> None:
    unfold(pane)
    pane.root.get_by_role("button", name="Create the room").focus()
    pane.page.keyboard.press("Tab")  # to the list's own button
    expect(rooms(pane)).to_be_visible()
    pane.root.get_by_role("button", name="Create the room").focus()
    pane.draft.focus()
    is_folded(pane)
    expect(pane.draft).to_be_focused()


def test_beside_the_room_the_list_stays(
    server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room
) -> None:
    pane = Pane(new_page(server)).logs_in(ann, parlour)
    pane.page.keyboard.press("Escape")
    pane.root.locator(".scroller").click()
    expect(rooms(pane)).to_be_visible()
