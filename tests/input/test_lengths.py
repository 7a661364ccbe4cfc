"""Length limits: the longest allowed value is accepted everywhere, and one character more is refused everywhere."""

import json
import unicodedata

import httpx
import pytest

from tests.support.people import Person, sign_in
from tests.support.problems import check_problem
from tests.support.server import ChatServer

MAX_CHARACTERS = 8_000
LETTERS = {"ascii": "x", "two bytes": "é", "three bytes": "漢", "four bytes": "😀"}
GROWS = "\ufb2c"
"""One character that becomes three in NFC (Unicode's composition exclusions)."""

every_letter = pytest.mark.parametrize("letter", LETTERS.values(), ids=LETTERS)


@every_letter
async def test_a_message_of_8000_characters_is_accepted(
    alice: Person, bob: Person, room: int, letter: str
) -> None:
    """Both as JSON with plain and with escaped characters: 8,000 escaped emoji are 96,000 bytes."""
    async with alice.enters(room) as here, bob.enters(room) as there:
        for escaped in (False, True):
            command = {"type": "message", "content": letter * MAX_CHARACTERS}
            await here.socket.send(json.dumps(command, ensure_ascii=escaped))
            assert (await here.hears("message"))["message"] == letter * MAX_CHARACTERS
            assert (await there.hears("message"))["message"] == letter * MAX_CHARACTERS
            body = json.dumps({"content": letter * MAX_CHARACTERS}, ensure_ascii=escaped).encode()
            headers = {"Content-Type": "application/json"}
            answer = await alice.http.post(f"/api/messages/{room}", content=body, headers=headers)
            assert answer.status_code == 201
            assert (await there.hears("message"))["message"] == letter * MAX_CHARACTERS
            await here.hears("message")
        assert len(await bob.history(room)) == 4


@every_letter
async def test_a_message_of_8001_characters_is_refused(alice: Person, room: int, letter: str) -> None:
    async with alice.enters(room) as here:
        await here.says(letter * (MAX_CHARACTERS + 1))
        assert (await here.hears("error"))["code"] == "invalid_command"
        await here.says("short")
        number = (await here.hears("message"))["id"]
        await here.does("message.edit", id=number, content=letter * (MAX_CHARACTERS + 1))
        assert (await here.hears("error"))["code"] == "invalid_command"
    answer = await alice.http.post(f"/api/messages/{room}", json={"content": letter * (MAX_CHARACTERS + 1)})
    assert check_problem(answer, 422) == "validation_failed"
    answer = await alice.http.patch(
        f"/api/messages/{room}/{number}", json={"content": letter * (MAX_CHARACTERS + 1)}
    )
    assert check_problem(answer, 422) == "validation_failed"


async def test_a_message_whose_normal_form_exceeds_the_limit_is_refused(alice: Person, room: int) -> None:
    assert len(unicodedata.normalize("NFC", GROWS)) == 3
    for count, status in ((MAX_CHARACTERS // 3, 201), (MAX_CHARACTERS // 3 + 1, 422)):
        answer = await alice.http.post(f"/api/messages/{room}", json={"content": GROWS * count})
        assert answer.status_code == status, count


@pytest.mark.parametrize("blank", ["", " ", "\n\t ", "\u00a0", "\u2003\u3000", "\u2028"])
async def test_a_blank_message_is_refused(alice: Person, room: int, blank: str) -> None:
    async with alice.enters(room) as here:
        await here.says(blank)
        assert (await here.hears("error"))["code"] == "invalid_command"
    check_problem(await alice.http.post(f"/api/messages/{room}", json={"content": blank}), 422)


@pytest.mark.parametrize("client_id", ["x" * 64, "é" * 64, GROWS * 64, "e\u0301", "spaces inside", "😀" * 64])
async def test_a_client_id_is_returned_unchanged(alice: Person, room: int, client_id: str) -> None:
    """Clients compare it with their own, so it is not normalized; and it fits into the column of every database."""
    async with alice.enters(room) as here:
        await here.says("once", client_id=client_id)
        assert (await here.hears("message"))["client_id"] == client_id
        assert (await here.hears("ack"))["client_id"] == client_id
    again = await alice.http.post(f"/api/messages/{room}", json={"content": "once", "client_id": client_id})
    assert (again.status_code, again.json()["id"]) == (200, 1)


@pytest.mark.parametrize("client_id", ["", "x" * 65, "a\nb", "a\0b", "\u200b", "\ue000"])
async def test_an_invalid_client_id_is_refused(alice: Person, room: int, client_id: str) -> None:
    answer = await alice.http.post(f"/api/messages/{room}", json={"content": "x", "client_id": client_id})
    assert check_problem(answer, 422) == "validation_failed"


@pytest.mark.parametrize(
    "password", ["kw7vqz3m", "x" * 72, "x" * 73, "x" * 200, "😀" * 256, " leading and trailing "]
)
async def test_every_character_of_a_long_password_counts(server: ChatServer, password: str) -> None:
    """bcrypt alone ignores everything after 72 bytes. Leading and trailing spaces count too."""
    name = f"long {abs(hash(password))}"
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert (
            await http.post("/api/auth/signup", json={"username": name, "password": password})
        ).status_code == 201
        await (await sign_in(server, name, password)).http.aclose()
        for wrong in (password[:-1], password + "x", password.strip() + "?"):
            answer = await http.post("/api/auth/login", json={"username": name, "password": wrong})
            assert answer.status_code == (401 if len(wrong) <= 256 else 422)
            form = await http.post("/api/auth/token", data={"username": name, "password": wrong})
            assert form.status_code == 401


@pytest.mark.parametrize("password", ["", "1234567", "x" * 257, "x" * 100_000])
async def test_passwords_that_are_too_short_or_too_long_are_refused(
    server: ChatServer, password: str
) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/auth/signup", json={"username": "newcomer", "password": password})
        assert check_problem(answer, 422) == "validation_failed"
        assert password[:20] not in answer.text or not password
        answer = await http.post("/api/auth/login", json={"username": "user1", "password": password})
        check_problem(answer, 401, 422)


async def test_a_password_matches_in_every_unicode_normal_form(server: ChatServer) -> None:
    """Some keyboards send composed characters, others decomposed ones."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        body = {"username": "composed", "password": "caf\u00e9 au lait"}
        assert (await http.post("/api/auth/signup", json=body)).status_code == 201
        body["password"] = unicodedata.normalize("NFD", body["password"])
        assert (await http.post("/api/auth/login", json=body)).status_code == 200
