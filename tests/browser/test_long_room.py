"""A room with more messages than the page holds in the DOM."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import NewPage
from tests.browser.panes import Pane
from tests.browser.rest_users import RestUser, Room
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")

SAID = 420
HELD = 200
"""Messages in the DOM at most, on a screen of this height."""
ELEMENTS_PER_MESSAGE = 10

SCROLL_TO = """async (scroller, [top, id]) => {
  const rows = () => [...document.querySelectorAll(".messages .message")];
  const deadline = performance.now() + 60_000;
  let most = 0;
  while (!rows().some((row) => row.dataset.id === String(id))) {
    scroller.scrollTop = top;
    await new Promise(requestAnimationFrame);
    most = Math.max(most, rows().length);
    if (performance.now() > deadline) throw new Error(`message ${id} is not reached`);
  }
  return most;
}"""
"""Scroll as far as possible, again and again, until a message is there. Returns the largest number of messages seen."""

MOVES = """async (scroller) => {
  const rows = () => [...document.querySelectorAll(".messages .message")];
  const first = rows()[0];
  const edge = scroller.getBoundingClientRect().top;
  const deadline = performance.now() + 15_000;
  scroller.scrollTop = 390;
  const visible = rows().find((row) => row.getBoundingClientRect().bottom > edge);
  const before = visible.getBoundingClientRect().top;
  while (rows()[0] === first && performance.now() < deadline) await new Promise(requestAnimationFrame);
  if (rows()[0] === first) throw new Error("the run has not moved");
  return Math.abs(visible.getBoundingClientRect().top - before);
}"""
"""How many pixels a visible message moves when the run begins earlier."""


@pytest.fixture
def anns(server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room) -> Pane:
    """Ann's pane with the newest messages of a long room."""
    ann.says_many(parlour, [f"Message {number}" for number in range(1, SAID + 1)])
    pane = Pane(new_page(server)).logs_in(ann, parlour)
    expect(pane.message(f"Message {SAID}")).to_be_in_viewport()
    return pane


def scroll_to(pane: Pane, number: int, top: int) -> int:
    most: int = pane.root.locator(".scroller").evaluate(SCROLL_TO, [top, number])
    return most


def scroll_to_beginning(pane: Pane) -> int:
    return scroll_to(pane, 1, 0)


def test_a_long_room_keeps_a_bounded_number_of_elements_from_its_end_to_its_beginning_and_back(
    anns: Pane,
) -> None:
    most = scroll_to_beginning(anns)
    assert 100 < most <= HELD
    assert anns.numbers() == list(range(1, len(anns.numbers()) + 1))
    expect(anns.root.get_by_text("This is the beginning of")).to_be_attached()
    elements = anns.messages.locator("css=*").count()
    assert elements <= HELD * ELEMENTS_PER_MESSAGE
    assert scroll_to(anns, SAID, 10**6) <= HELD
    assert anns.numbers() == list(range(SAID - HELD + 1, SAID + 1))
    expect(anns.root.locator(".to-newest")).to_be_hidden()


def test_what_is_visible_stays_in_its_place_when_rows_are_added_above(anns: Pane) -> None:
    scroll_to_beginning(anns)
    scroll_to(anns, SAID, 10**6)
    scroller = anns.root.locator(".scroller")
    for _ in range(3):
        assert scroller.evaluate(MOVES) <= 2


def test_messages_that_arrive_while_the_beginning_is_read_are_one_click_away(
    anns: Pane, ann: RestUser, ben: RestUser, parlour: Room
) -> None:
    scroll_to_beginning(anns)
    anns.press("Newest messages ↓")
    expect(anns.message(f"Message {SAID}")).to_be_in_viewport()
    scroll_to(anns, 1, 0)
    for number in range(3):
        ben.says(parlour, f"News {number}")
    anns.press("New messages ↓")
    expect(anns.message("News 2")).to_be_in_viewport()
    assert len(anns.numbers()) == HELD
    expect(anns.root.locator(".to-newest")).to_be_hidden()
    ben.says(parlour, "And one more")
    expect(anns.message("And one more")).to_be_in_viewport()


def test_ones_own_message_is_shown_from_wherever_it_is_written(anns: Pane) -> None:
    scroll_to_beginning(anns)
    anns.says("Written at the beginning")
    expect(anns.message("Written at the beginning")).to_be_in_viewport()
    assert len(anns.numbers()) == HELD


def test_arrow_keys_walk_beyond_the_rows_in_the_dom(anns: Pane) -> None:
    page = anns.page
    scroll_to_beginning(anns)
    anns.press("Newest messages ↓")
    first = anns.numbers()[0]
    focus(anns, first)
    for step in (1, 2, 3):
        page.keyboard.press("ArrowUp")
        expect(row(anns, first - step)).to_be_focused()
    page.keyboard.press("Tab")
    expect(row(anns, first - 3).get_by_role("button", name="React with 👍")).to_be_focused()
    last = anns.numbers()[-1]
    focus(anns, last)
    page.keyboard.press("ArrowDown")
    expect(row(anns, last + 1)).to_be_focused()
    page.keyboard.press("End")
    expect(anns.message(f"Message {SAID}")).to_be_in_viewport()


def row(pane: Pane, number: int) -> Locator:
    return pane.root.locator(f".message[data-id='{number}']")


def focus(pane: Pane, number: int) -> None:
    """Focus a message where it is: scrolled into view it would come near the end of the run, and move it."""
    row(pane, number).evaluate("element => element.focus({ preventScroll: true })")


def test_the_focus_of_a_message_that_leaves_the_dom_stays_in_the_log(anns: Pane) -> None:
    anns.messages.last.focus()
    scroll_to_beginning(anns)
    expect(row(anns, SAID)).to_have_count(0)
    expect(anns.root.get_by_role("log")).to_be_focused()


def test_the_quote_of_a_reply_leads_to_a_message_that_is_not_in_the_dom(
    anns: Pane, ben: RestUser, parlour: Room
) -> None:
    scroll_to_beginning(anns)
    answer = {"content": "As you said", "reply_to": 60}
    ben.http.post(f"/api/messages/{parlour.id}", json=answer).raise_for_status()
    anns.press("New messages ↓")
    expect(row(anns, 60)).to_have_count(0)
    anns.message("As you said").locator(".quote").click()
    expect(row(anns, 60)).to_be_in_viewport()
    expect(row(anns, 60)).to_be_focused()
    expect(anns.root.get_by_role("button", name="Newest messages ↓")).to_be_visible()


def test_screen_readers_hear_of_new_messages_and_not_of_history(
    anns: Pane, ben: RestUser, parlour: Room
) -> None:
    log = anns.root.get_by_role("log")
    ben.says(parlour, "Listen")
    expect(anns.message("Listen")).to_be_in_viewport()
    expect(log).to_have_attribute("aria-live", "polite")
    scroll_to_beginning(anns)
    expect(log).to_have_attribute("aria-live", "off")
    ben.says(parlour, "Out of sight")
    expect(anns.root.get_by_role("status").get_by_text("New messages ↓")).to_be_visible()
    anns.press("New messages ↓")
    expect(log).to_have_attribute("aria-live", "off")
    ben.says(parlour, "In sight")
    expect(anns.message("In sight")).to_be_in_viewport()
    expect(log).to_have_attribute("aria-live", "polite")


def test_the_first_message_of_an_empty_room_is_announced(
    server: ChatServer, new_page: NewPage, ann: RestUser, ben: RestUser, parlour: Room
) -> None:
    pane = Pane(new_page(server)).logs_in(ann, parlour)
    expect(pane.root.get_by_text("No messages in")).to_be_visible()
    ben.says(parlour, "The first")
    pane.shows("The first")
    expect(pane.root.get_by_role("log")).to_have_attribute("aria-live", "polite")


def test_switching_rooms_shows_only_the_other_room(anns: Pane, ann: RestUser, parlour: Room) -> None:
    other = ann.makes_room("Elsewhere")
    ann.says(other, "Here")
    anns.page.reload()
    scroll_to_beginning(anns)
    anns.opens(other)
    anns.shows("Here")
    anns.opens(parlour)
    expect(anns.message(f"Message {SAID}")).to_be_in_viewport()
