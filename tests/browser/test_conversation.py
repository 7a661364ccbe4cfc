"""Two users talk on the page."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPage
from tests.browser.panes import Pane
from tests.browser.rest_users import RestUser, Room
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")


def test_two_panes_of_one_window_talk_to_each_other(
    server: ChatServer, new_page: NewPage, ann: RestUser, ben: RestUser, parlour: Room
) -> None:
    page = new_page(server)
    left = Pane(page, 0).logs_in(ann, parlour)
    right = Pane(page, 1).logs_in(ben, parlour)
    left.says("Hello from the left")
    right.shows("Hello from the left")
    right.says("Hello from the right")
    left.says("Good to see you")
    for pane in left, right:
        pane.shows("Hello from the left", "Hello from the right", "Good to see you")
    assert left.numbers() == right.numbers() == [1, 2, 3]


def test_two_windows_show_each_others_presence_typing_and_messages(
    server: ChatServer, new_page: NewPage, ann: RestUser, ben: RestUser, parlour: Room
) -> None:
    anns = Pane(new_page(server)).logs_in(ann, parlour)
    expect(anns.here).to_have_text(f"1 here: {ann.name}")
    bens = Pane(new_page(server)).logs_in(ben, parlour)
    expect(anns.here).to_have_text(f"2 here: {ann.name}, {ben.name}")
    bens.draft.press_sequentially("Hi")
    expect(anns.typing).to_have_text(f"{ben.name} is typing…")
    expect(bens.typing).to_have_text("")
    bens.draft.press("Enter")
    anns.shows("Hi")
    expect(anns.typing).to_have_text("")
    bens.page.close()
    expect(anns.here).to_have_text(f"1 here: {ann.name}")


def test_markup_in_a_message_or_room_name_is_shown_as_text(
    server: ChatServer, new_page: NewPage, ann: RestUser, ben: RestUser
) -> None:
    evil = "<img src=x onerror=\"alert('fired')\">"
    room = ann.makes_room("<script>alert('room')</script>")
    page = new_page(server)
    panes = Pane(page, 0).logs_in(ann, room), Pane(page, 1).logs_in(ben, room)
    panes[0].says(evil)
    for pane in panes:
        pane.shows(evil)
        pane.does("Reply", evil)
        expect(pane.root.locator(".context")).to_contain_text(evil)
    assert page.locator(".panes img, .panes script").count() == 0


def test_a_message_can_be_edited_answered_reacted_to_and_deleted(
    server: ChatServer, new_page: NewPage, ann: RestUser, ben: RestUser, parlour: Room
) -> None:
    page = new_page(server)
    anns, bens = Pane(page, 0).logs_in(ann, parlour), Pane(page, 1).logs_in(ben, parlour)
    anns.says("Lunch at tvelve?")
    expect(bens.message("Lunch at tvelve?")).to_be_visible()
    anns.does("Edit", "Lunch at tvelve?")
    anns.says("Lunch at twelve?")
    bens.shows("Lunch at twelve? edited")
    bens.does("React with 👍", "Lunch at twelve?")
    chip = anns.message("Lunch at twelve?").get_by_role("button", name=f"👍 1 from {ben.name}")
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.click()
    expect(bens.message("Lunch at twelve?").locator(".chip")).to_have_text("👍 2")
    bens.does("Reply", "Lunch at twelve?")
    bens.says("Yes")
    expect(anns.message("Yes").locator(".quote")).to_have_text(f"{ann.name}: Lunch at twelve?")
    anns.does("Delete", "Lunch at twelve?")
    anns.press("Really delete?")
    for pane in anns, bens:
        pane.shows("This message was deleted.", "Yes")
        expect(pane.message("Yes").locator(".quote")).to_have_text(f"{ann.name}: a deleted message")


def test_a_user_cannot_edit_or_delete_messages_of_others(
    server: ChatServer, new_page: NewPage, ann: RestUser, ben: RestUser, parlour: Room
) -> None:
    ann.says(parlour, "Mine")
    bens = Pane(new_page(server)).logs_in(ben, parlour)
    bens.message("Mine").hover()
    expect(bens.message("Mine").get_by_role("button", name="Reply")).to_be_visible()
    expect(bens.message("Mine").get_by_role("button", name="Edit")).to_be_hidden()
    expect(bens.message("Mine").get_by_role("button", name="Delete")).to_be_hidden()


def test_unread_messages_are_counted_until_their_room_is_opened(
    server: ChatServer, new_page: NewPage, ann: RestUser, ben: RestUser, parlour: Room
) -> None:
    lobby = ann.makes_room(f"Lobby of {ann.name}")
    page = new_page(server)
    anns = Pane(page).logs_in(ann, parlour)
    ben.says(lobby, "One")
    ben.says(lobby, "Two")
    expect(anns.link_to(lobby).locator(".badge")).to_have_text("2")
    expect(page).to_have_title("(2) Chat")
    anns.opens(lobby)
    anns.shows("One", "Two")
    expect(anns.messages.nth(0)).to_have_class("message first-unread")
    expect(anns.link_to(lobby).locator(".badge")).to_be_hidden()
    expect(page).to_have_title("Chat")
    bens = Pane(page, 1).logs_in(ben, lobby)
    bens.says("Three")
    expect(bens.root.get_by_text(f"Seen by {ann.name}")).to_be_visible()


def test_scrolling_up_loads_older_messages(
    server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room
) -> None:
    for number in range(1, 131):
        ann.says(parlour, f"Message {number}")
    anns = Pane(new_page(server)).logs_in(ann, parlour)
    expect(anns.message("Message 130")).to_be_in_viewport()
    expect(anns.messages).to_have_count(50)
    for first, loaded in ("Message 81", 100), ("Message 31", 130):
        anns.message(first).scroll_into_view_if_needed()
        expect(anns.messages).to_have_count(loaded)
        expect(anns.message(first)).to_be_in_viewport()  # the page keeps its scroll position
    anns.messages.first.scroll_into_view_if_needed()
    expect(anns.root.get_by_text(f"This is the beginning of {parlour.name}.")).to_be_in_viewport()
    assert anns.numbers() == list(range(1, 131))
    ann.says(parlour, "Meanwhile")
    anns.press("New messages ↓")
    expect(anns.message("Meanwhile")).to_be_in_viewport()


def test_a_room_made_in_one_pane_appears_in_the_other(
    server: ChatServer, new_page: NewPage, ann: RestUser, ben: RestUser, parlour: Room
) -> None:
    page = new_page(server)
    anns, bens = Pane(page, 0).logs_in(ann), Pane(page, 1).logs_in(ben)
    anns.root.get_by_label("Name of a new room").fill("Attic")
    anns.root.get_by_label("Name of a new room").press("Enter")
    expect(anns.root.get_by_text("No messages in Attic yet.")).to_be_visible()
    expect(bens.link_to(Room(0, "Attic")).last).to_be_visible()


def test_the_frame_log_shows_pauses_clears_and_sends_frames(
    server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room
) -> None:
    pane = Pane(new_page(server)).logs_in(ann, parlour)
    pane.press("Frames")
    pane.says("Under the glass")
    expect(pane.frames.filter(has_text='"content":"Under the glass"').filter(has_text="→")).to_have_count(1)
    expect(pane.frames.filter(has_text='"message":"Under the glass"').filter(has_text="←")).to_have_count(1)
    raw = pane.root.get_by_label("Raw frame", exact=True)
    raw.fill('{"type":"ping","ref":"by hand"}')
    raw.press("Enter")
    expect(pane.frames.filter(has_text='"pong"')).to_contain_text("by hand")
    raw.fill('{"type":"fly"}')
    raw.press("Enter")
    expect(pane.problem).to_be_visible()
    pane.press("Pause")
    pane.press("Clear")
    pane.says("Unseen")
    pane.shows("Under the glass", "Unseen")
    expect(pane.frames).to_have_count(0)
    pane.press("Resume")
    pane.says("Seen")
    expect(pane.frames.filter(has_text='"message":"Seen"')).to_have_count(1)
