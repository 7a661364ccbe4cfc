"""Text on each database: as long as promised, every character, and nothing that only looks the same is the same."""

import asyncio

import pytest

from tests.support.people import Person

LONGEST = "🙂" * 8_000
"""Thirty-two thousand bytes; MariaDB's TEXT ends at sixty-four."""

TEXTS = {
    "the longest message": LONGEST,
    "emoji of many parts": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇨🇭",
    "every script": "Ω ж 中 ع א क ไ 한 ე ⴰ 𐍈 𝔘",  # noqa: RUF001
    "white space": "  two spaces, a\ttab,\na line \r\nand a third \u2028",
    "what databases quote": "'; DROP TABLE messages; -- \\ \" % _ :name ? $1 %s {}",
    "the last character there is": "\U0010ffff",
    "control characters": "\x01\x1b[31m\x7f",
}


async def test_every_text_comes_back_as_it_was_sent(ann: Person, room: int) -> None:
    async with ann.enters(room) as seat:
        for text in TEXTS.values():
            await seat.says(text)
            assert (await seat.hears("message"))["message"] == text
    assert [message["message"] for message in await ann.history(room)] == list(TEXTS.values())
    assert (await ann.get(f"/api/rooms/{room}"))["name"] == "Tower of Babel 🗼"
    for text in TEXTS.values():
        edited = await ann.http.patch(f"/api/messages/{room}/1", json={"content": text})
        assert (edited.status_code, edited.json()["message"]) == (200, text)


async def test_one_character_more_is_refused(ann: Person, room: int) -> None:
    answer = await ann.http.post(f"/api/messages/{room}", json={"content": LONGEST + "🙂"})
    assert answer.status_code == 422


TAGS = "\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
"""`gbsct` and an end, in characters that are drawn as nothing: what makes Scotland's flag of a black one."""
EMOJI = ["👍", "❤️", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇨🇭", "🏴", "🏴" + TAGS, "1️⃣", ":thumbsup:"]
"""Of every kind that there is, and a word for one."""


async def test_every_emoji_is_a_reaction_of_its_own(ann: Person, room: int) -> None:
    async with ann.enters(room) as seat:
        await seat.says("what do you think?", ref="said")
        await seat.hears("ack", ref="said")
        for emoji in EMOJI:
            await seat.does("reaction.add", id=1, emoji=emoji, ref=emoji)
            assert (await seat.hears("reaction"))["emoji"] == emoji
            await seat.hears("ack", ref=emoji)
        await seat.does("reaction.add", id=1, emoji="👍" + TAGS, ref="tags")
        assert (await seat.hears("error", ref="tags"))["code"] == "invalid_command"
    [message] = await ann.history(room)
    assert [reaction["emoji"] for reaction in message["reactions"]] == EMOJI


SAME = ["alice", "Alice", "ALICE", "ａｌｉｃｅ", "аlice"]  # noqa: RUF001 - wide letters, and a Cyrillic one
OTHER = ["alicé", "älice", "alice1", "al ice"]


async def test_names_that_look_the_same_are_taken_and_others_are_not(ann: Person) -> None:
    assert [await asks_for(ann, name) for name in SAME] == [201, 409, 409, 409, 409]
    assert [await asks_for(ann, name) for name in OTHER] == [201, 201, 201, 201]
    login = await ann.http.post("/api/auth/login", json={"username": "ALICE", "password": "correct horse"})
    assert login.status_code == 200, "she may write her own name as she likes"


async def test_of_ten_who_ask_for_one_name_at_once_one_gets_it(ann: Person) -> None:
    answers = await asyncio.gather(*(asks_for(ann, "wanted") for _ in range(10)))
    assert sorted(answers) == [201] + [409] * 9


@pytest.mark.parametrize(
    "name", ["\ufdfa" * 64, "\ufdfa" * 14, "ß" * 64, "ﬃ" * 64], ids=["long", "short", "ss", "ffi"]
)
async def test_a_name_that_grows_when_it_is_folded_never_breaks_the_database(ann: Person, name: str) -> None:
    """SQLite would store what the others refuse."""
    status = await asks_for(ann, name)
    assert status in {201, 422}
    login = await ann.http.post("/api/auth/login", json={"username": name, "password": "correct horse"})
    assert login.status_code == (200 if status == 201 else 401)


async def asks_for(person: Person, name: str) -> int:
    wanted = {"username": name, "password": "correct horse"}
    return (await person.http.post("/api/auth/signup", json=wanted)).status_code
