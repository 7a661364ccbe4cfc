"""What a user sees and does in one pane of the page."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.rest_users import PASSWORD, RestUser, Room

PATIENCE = 15.0
"""Seconds to wait on a busy machine for a result that should come at once."""


class Pane:
    def __init__(self, page: Page, index: int = 0) -> None:
        self.page = page
        self.root = page.locator(".pane").nth(index)
        self.name = self.root.get_by_label("Name", exact=True)
        self.password = self.root.get_by_label("Password")
        self.draft = self.root.get_by_role("textbox", name="Message", exact=True)
        self.messages = self.root.get_by_role("log", name="Messages").locator(".message")
        self.pending = self.root.locator(".outbox .message")
        self.typing = self.root.locator(".typing")
        self.here = self.root.locator(".here")
        self.connection = self.root.locator(".connection")
        self.problem = self.root.get_by_role("alert")
        self.frames = self.root.locator(".frame")

    def logs_in(self, who: RestUser, room: Room | None = None) -> "Pane":
        self.name.fill(who.name)
        self.password.fill(PASSWORD)
        self.press("Log in")
        expect(self.connection).to_have_text("Connected")
        return self.opens(room) if room else self

    def opens(self, room: Room) -> "Pane":
        self.link_to(room).click()
        expect(self.root.get_by_role("heading", name=room.name)).to_be_visible()
        expect(self.here).to_contain_text("here")
        return self

    def link_to(self, room: Room) -> Locator:
        """The room in the list, with or without a count of unread messages."""
        label = self.page.get_by_text(room.name, exact=True)
        return self.root.get_by_role("navigation", name="Rooms").get_by_role("button").filter(has=label)

    def press(self, button: str) -> None:
        self.root.get_by_role("button", name=button, exact=True).click()

    def says(self, text: str) -> None:
        self.draft.fill(text)
        self.draft.press("Enter")

    def message(self, text: str) -> Locator:
        exactly = re.escape(text).replace("/", r"\/")  # Playwright writes the pattern between slashes
        text_element = self.page.locator(".text", has_text=re.compile(rf"^{exactly}( edited)?$"))
        return self.messages.filter(has=text_element)

    def does(self, action: str, text: str) -> None:
        """Press a button of the message, as with a mouse."""
        message = self.message(text)
        message.hover()
        message.get_by_role("button", name=action, exact=True).click()

    def shows(self, *texts: str, within: float = PATIENCE) -> None:
        """Wait until the messages are exactly these, in this order, and none is pending."""
        expect(self.messages.locator(".text")).to_have_text(list(texts), timeout=within * 1000)
        expect(self.pending).to_have_count(0)

    def numbers(self) -> list[int]:
        """The ids of the messages, from top to bottom."""
        shown = self.messages.evaluate_all("rows => rows.map(row => Number(row.dataset.id))")
        return [int(number) for number in shown]
