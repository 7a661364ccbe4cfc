"""The page after the worst has happened to its connection."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import Invite, NewPage
from tests.browser.guests import Guest, Room
from tests.browser.panes import Pane
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("browser")

LONGEST_WAIT = 45.0
"""Seconds: the page's own longest wait between two tries, and some."""


def test_after_a_restart_the_page_shows_what_it_missed_and_sends_what_waited_once(
    tmp_path: Path, new_page: NewPage, invite: Invite
) -> None:
    with ChatServer(tmp_path) as server:
        ann, ben = invite(server, "ann"), invite(server, "ben")
        room = ann.makes_room("Parlour")
        page = new_page(server)
        anns, bens = Pane(page, 0).logs_in(ann, room), Pane(page, 1).logs_in(ben, room)
        anns.says("Before")
        bens.shows("Before")
        server.kill()
        expect(anns.connection).not_to_have_text("Connected")
        anns.says("Written in the dark")
        expect(anns.pending).to_contain_text("Waiting for the connection")
        with ChatServer(tmp_path) as elsewhere:  # another process on the same database
            ben.moves_to(elsewhere)
            ben.says(room, "Said meanwhile")
        server.start()
        for pane in anns, bens:
            pane.shows("Before", "Said meanwhile", "Written in the dark", within=LONGEST_WAIT)
            expect(pane.connection).to_have_text("Connected")
        ben.moves_to(server)
        assert ben.history(room) == ["Before", "Said meanwhile", "Written in the dark"]


def test_a_message_whose_ack_was_lost_is_sent_again_and_stands_once(
    server: ChatServer, new_page: NewPage, ann: Guest, parlour: Room
) -> None:
    sent: list[str] = []
    page = new_page(server)

    def lose_the_first_answer(socket: WebSocketRoute) -> None:
        far = socket.connect_to_server()

        def out(frame: str | bytes) -> None:
            command = json.loads(frame)
            if command["type"] == "message":
                sent.append(command["client_id"])
            far.send(frame)

        def back(frame: str | bytes) -> None:
            if len(sent) == 1 and json.loads(frame).get("client_id") == sent[0]:
                far.close()
                socket.close(code=1001)
            else:
                socket.send(frame)

        socket.on_message(out)
        far.on_message(back)

    page.route_web_socket(re.compile("/ws"), lose_the_first_answer)
    anns = Pane(page).logs_in(ann, parlour)
    anns.says("Did you get this?")
    anns.shows("Did you get this?")
    expect(anns.connection).to_have_text("Connected")
    assert sent == [sent[0]] * 2
    assert ann.history(parlour) == ["Did you get this?"]


def test_a_token_that_has_ended_is_renewed_without_a_word(
    server: ChatServer, new_page: NewPage, ann: Guest, ben: Guest, parlour: Room
) -> None:
    sockets: list[WebSocketRoute] = []
    page = new_page(server)

    def keep(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    page.route_web_socket(re.compile("/ws"), keep)
    anns = Pane(page).logs_in(ann, parlour)
    with page.expect_response("**/api/auth/refresh") as refreshed:
        sockets[-1].close(code=4401)
    assert refreshed.value.status == 200
    ben.says(parlour, "Still there?")
    anns.shows("Still there?")
    expect(anns.problem).to_be_hidden()


def test_a_login_that_was_ended_elsewhere_leads_back_to_the_form(
    server: ChatServer, new_page: NewPage, wrongs: list[str], ann: Guest, parlour: Room
) -> None:
    anns = Pane(new_page(server)).logs_in(ann, parlour)
    ann.ends_other_logins()
    expect(anns.problem).to_contain_text("This login has ended. Log in again.")
    expect(anns.name).to_be_visible()
    assert len(wrongs) == 1, wrongs
    assert "401" in wrongs.pop()  # Chromium's own note about the refused refresh


def test_when_too_much_was_missed_the_history_is_loaded_anew(
    tmp_path: Path, new_page: NewPage, invite: Invite
) -> None:
    with ChatServer(tmp_path, catch_up_limit=5) as server:
        ann, ben = invite(server, "ann"), invite(server, "ben")
        room = ann.makes_room("Parlour")
        missed = [f"Missed {number}" for number in range(1, 10)]
        sockets: list[WebSocketRoute] = []
        page = new_page(server)

        def speak_while_away(socket: WebSocketRoute) -> None:
            if sockets:
                for text in missed:
                    ben.says(room, text)
            sockets.append(socket)
            socket.connect_to_server()

        page.route_web_socket(re.compile("/ws"), speak_while_away)
        anns = Pane(page).logs_in(ann, room)
        anns.says("Before")
        anns.shows("Before")
        sockets[0].close(code=4408)
        anns.shows("Before", *missed)
        assert anns.numbers() == list(range(1, 11))
        anns.says("After")
        anns.shows("Before", *missed, "After")


def test_a_connection_that_is_cut_by_hand_comes_back(
    server: ChatServer, new_page: NewPage, ann: Guest, parlour: Room
) -> None:
    anns = Pane(new_page(server)).logs_in(ann, parlour)
    anns.press("Frames")
    anns.press("Cut connection")
    expect(anns.frames.filter(has_text="closed 1006")).to_have_count(1)
    expect(anns.frames.filter(has_text='"type":"ready"')).to_have_count(2)
    expect(anns.connection).to_have_text("Connected")
    anns.says("Back again")
    anns.shows("Back again")


def test_a_reload_keeps_the_logins_and_the_rooms(
    server: ChatServer, new_page: NewPage, ann: Guest, ben: Guest, parlour: Room
) -> None:
    page = new_page(server)
    Pane(page, 0).logs_in(ann, parlour)
    Pane(page, 1).logs_in(ben, parlour).says("Stay")
    Pane(page, 0).shows("Stay")
    page.reload()
    for index, who in enumerate((ann, ben)):
        pane = Pane(page, index)
        expect(pane.root.get_by_role("heading", name=who.name)).to_be_visible()
        pane.shows("Stay")
    Pane(page, 0).press("Log out")
    page.reload()
    expect(Pane(page, 0).name).to_be_visible()
    Pane(page, 1).shows("Stay")
