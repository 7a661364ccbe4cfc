"""The page after its connection was lost."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import NewPage, NewUser
from tests.browser.panes import Pane
from tests.browser.rest_users import RestUser, Room
from tests.support.server import ChatServer, wait_until

pytestmark = pytest.mark.xdist_group("browser")

LONGEST_WAIT = 45.0
"""Seconds: more than the page's longest delay between two attempts."""


def test_after_a_restart_the_page_shows_missed_messages_and_sends_pending_ones_once(
    tmp_path: Path, new_page: NewPage, new_user: NewUser
) -> None:
    with ChatServer(tmp_path) as server:
        ann, ben = new_user(server, "ann"), new_user(server, "ben")
        room = ann.makes_room("Parlour")
        page = new_page(server)
        anns, bens = Pane(page, 0).logs_in(ann, room), Pane(page, 1).logs_in(ben, room)
        anns.says("Before")
        bens.shows("Before")
        server.kill()
        expect(anns.connection).not_to_have_text("Connected")
        anns.says("Written offline")
        expect(anns.pending).to_contain_text("Waiting for the connection")
        with ChatServer(tmp_path) as other:  # another process on the same database
            ben.moves_to(other)
            ben.says(room, "Said meanwhile")
        server.start()
        for pane in anns, bens:
            pane.shows("Before", "Said meanwhile", "Written offline", within=LONGEST_WAIT)
            expect(pane.connection).to_have_text("Connected")
        ben.moves_to(server)
        assert ben.history(room) == ["Before", "Said meanwhile", "Written offline"]


def test_a_message_whose_ack_was_lost_is_sent_again_but_stored_once(
    server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room
) -> None:
    sent: list[str] = []
    page = new_page(server)

    def lose_the_first_ack(socket: WebSocketRoute) -> None:
        upstream = socket.connect_to_server()

        def to_server(frame: str | bytes) -> None:
            command = json.loads(frame)
            if command["type"] == "message":
                sent.append(command["client_id"])
            upstream.send(frame)

        def to_page(frame: str | bytes) -> None:
            if len(sent) == 1 and json.loads(frame).get("client_id") == sent[0]:
                upstream.close()
                socket.close(code=1001)
            else:
                socket.send(frame)

        socket.on_message(to_server)
        upstream.on_message(to_page)

    page.route_web_socket(re.compile("/ws"), lose_the_first_ack)
    anns = Pane(page).logs_in(ann, parlour)
    anns.says("Did you get this?")
    anns.shows("Did you get this?")
    expect(anns.connection).to_have_text("Connected")
    assert sent == [sent[0]] * 2
    assert ann.history(parlour) == ["Did you get this?"]


def test_an_expired_token_is_renewed_silently(
    server: ChatServer, new_page: NewPage, ann: RestUser, ben: RestUser, parlour: Room
) -> None:
    sockets: list[WebSocketRoute] = []
    page = new_page(server)

    def record(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    page.route_web_socket(re.compile("/ws"), record)
    anns = Pane(page).logs_in(ann, parlour)
    with page.expect_response("**/api/auth/refresh") as refreshed:
        sockets[-1].close(code=4401)
    assert refreshed.value.status == 200
    ben.says(parlour, "Still there?")
    anns.shows("Still there?")
    expect(anns.problem).to_be_hidden()


def test_a_login_that_was_ended_elsewhere_returns_to_the_login_form(
    server: ChatServer, new_page: NewPage, page_errors: list[str], ann: RestUser, parlour: Room
) -> None:
    anns = Pane(new_page(server)).logs_in(ann, parlour)
    ann.ends_other_logins()
    expect(anns.problem).to_contain_text("This login has ended. Log in again.")
    expect(anns.name).to_be_visible()
    assert len(page_errors) == 1, page_errors
    assert "401" in page_errors.pop()  # Chromium's own note about the refused refresh


def test_after_a_truncated_catch_up_the_history_is_reloaded(
    tmp_path: Path, new_page: NewPage, new_user: NewUser
) -> None:
    with ChatServer(tmp_path, catch_up_limit=5) as server:
        ann, ben = new_user(server, "ann"), new_user(server, "ben")
        room = ann.makes_room("Parlour")
        missed = [f"Missed {number}" for number in range(1, 10)]
        sockets: list[WebSocketRoute] = []
        page = new_page(server)

        def send_while_disconnected(socket: WebSocketRoute) -> None:
            if sockets:
                for text in missed:
                    ben.says(room, text)
            sockets.append(socket)
            socket.connect_to_server()

        page.route_web_socket(re.compile("/ws"), send_while_disconnected)
        anns = Pane(page).logs_in(ann, room)
        anns.says("Before")
        anns.shows("Before")
        sockets[0].close(code=4408)
        anns.shows("Before", *missed)
        assert anns.numbers() == list(range(1, 11))
        anns.says("After")
        anns.shows("Before", *missed, "After")


def test_a_connection_that_the_user_cut_is_restored(
    server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room
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
    server: ChatServer, new_page: NewPage, ann: RestUser, ben: RestUser, parlour: Room
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


SIXTY_MOUNTS = """async ([url, token, room]) => {
  const { ChatSocket } = await import("/static/js/socket.js");
  let ready = 0;
  const mount = () => {
    const chat = new ChatSocket({ url, token: () => token, onEvent: (event) => (ready += event.type === "ready") });
    chat.subscribe(room);
    chat.open();
    return () => chat.close();
  };
  const unmounts = Array.from({ length: 60 }, mount);
  for (const unmount of unmounts.splice(20)) unmount(); // before they were ready
  while (ready < 20) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const unmount of unmounts) unmount();
}"""


def test_sixty_components_that_come_and_go_leave_no_socket(
    server: ChatServer, new_page: NewPage, ann: RestUser, parlour: Room
) -> None:
    new_page(server).evaluate(SIXTY_MOUNTS, [server.ws, ann.token, parlour.id])

    def are_gone() -> bool:
        return bool(ann.http.get(f"/api/rooms/{parlour.id}/presence").json()["count"] == 0)

    wait_until(are_gone, "every socket closed")
