"""Names of users and rooms: no control or invisible characters, and none that change the reading direction."""

import httpx
import pytest

from tests.input import corpus
from tests.support.people import Person
from tests.support.problems import check_problem
from tests.support.server import ChatServer

hidden = pytest.mark.parametrize("name", corpus.HIDDEN.values(), ids=corpus.HIDDEN)


@hidden
async def test_a_name_with_control_or_invisible_characters_is_refused(alice: Person, name: str) -> None:
    answer = await alice.http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
    assert check_problem(answer, 422) == "validation_failed"
    assert check_problem(await alice.http.post("/api/rooms", json={"name": name}), 422) == "validation_failed"


@pytest.mark.parametrize("name", ["", " ", " a", "a ", "\u3000a", "x" * 65, "\ufb2c" * 64, "ﷺ" * 64])
async def test_a_blank_padded_or_too_long_username_is_refused(alice: Person, name: str) -> None:
    """The last two have 64 characters, but one has a longer normal form and the other a longer look-up key."""
    answer = await alice.http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
    assert check_problem(answer, 422) == "validation_failed"


@pytest.mark.parametrize(
    "name",
    ["ad\u200cmin", "a/b", "a<b>", 'a"b', "a&b", "a;b", "a\\b", "😀", "a:b", "a,b", "a.", "a  b", "-a"],
)
async def test_a_username_with_symbols_or_stray_punctuation_is_refused(alice: Person, name: str) -> None:
    answer = await alice.http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
    assert check_problem(answer, 422) == "validation_failed"


@pytest.mark.parametrize("name", ["\u0430dmin", "Γιώργος Papas", "a\u0336lice", "x\u0301\u0301"])
async def test_a_username_of_mixed_scripts_or_with_stray_marks_is_refused(alice: Person, name: str) -> None:
    answer = await alice.http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
    assert check_problem(answer, 422) == "validation_failed"


@pytest.mark.parametrize(
    "name",
    [
        "x" * 64,
        "Zoë",
        "李小龍",
        "Дмитрий",
        "\u0645\u062d\u0645\u062f",
        "नरेन्द्र",
        "j.o_h-n+1@example.com",
        "Mary Ann",
        "Tom トム",
        "\u1ecd\u0301la",
    ],
)
async def test_usernames_of_any_script_are_accepted(server: ChatServer, name: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["username"] == name
        login = await http.post("/api/auth/login", json={"username": name, "password": "correct horse"})
        assert login.status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "x" * 64,
        "\u0645\u06cc\u200c\u062e\u0648",
        "Café ☕",
        "👨‍👩‍👧 family",
        "general/random",
        "<b>bold</b>",
        "O'Reilly",
        "#general",
        "Q&A",
    ],
)
async def test_any_readable_name_of_a_room_is_accepted(alice: Person, name: str) -> None:
    created = await alice.http.post("/api/rooms", json={"name": name})
    assert created.status_code == 201
    assert (await alice.get(f"/api/rooms/{created.json()['id']}"))["name"] == name
