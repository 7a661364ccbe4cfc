"""Names of people and of rooms: no controls, nothing hidden, nothing that turns the reading direction."""

import httpx
import pytest

from tests.input import corpus
from tests.support.people import Person
from tests.support.problems import check_problem
from tests.support.server import ChatServer

hidden = pytest.mark.parametrize("name", corpus.HIDDEN.values(), ids=corpus.HIDDEN)


@hidden
async def test_a_name_with_something_hidden_is_refused(alice: Person, name: str) -> None:
    answer = await alice.http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
    assert check_problem(answer, 422) == "validation_failed"
    assert check_problem(await alice.http.post("/api/rooms", json={"name": name}), 422) == "validation_failed"


@pytest.mark.parametrize("name", ["", " ", " a", "a ", "\u3000a", "x" * 65, "\ufb2c" * 64, "ﷺ" * 64])
async def test_a_name_that_is_none_or_too_long_is_refused(alice: Person, name: str) -> None:
    """The last two are 64 characters; one is longer in its normal form, the other in its key."""
    answer = await alice.http.post("/api/auth/signup", json={"username": name, "password": "correct horse"})
    assert check_problem(answer, 422) == "validation_failed"


@pytest.mark.parametrize(
    "name", ["ad\u200cmin", "a/b", "a<b>", 'a"b', "a&b", "a;b", "a\\b", "😀", "a:b", "a,b"]
)
async def test_a_username_has_no_marks_that_mean_something_elsewhere(alice: Person, name: str) -> None:
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
    ],
)
async def test_people_have_names_in_every_script(server: ChatServer, name: str) -> None:
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
    ],
)
async def test_a_room_is_called_whatever_one_can_read(alice: Person, name: str) -> None:
    created = await alice.http.post("/api/rooms", json={"name": name})
    assert created.status_code == 201
    assert (await alice.get(f"/api/rooms/{created.json()['id']}"))["name"] == name
