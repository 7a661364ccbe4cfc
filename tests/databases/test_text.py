"""Text on each database: the full length, every character, and names compared by their folded form."""

import asyncio

import pytest

from tests.support.people import Person

LONGEST = "🙂" * 8_000
"""32,000 bytes; MariaDB's TEXT holds 65,535."""

TEXTS = {
    "the longest message": LONGEST,
    "emoji sequences": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇨🇭",
    "every script": "Ω ж 中 ع א क ไ 한 ე ⴰ 𐍈 𝔘",  # noqa: RUF001
    "white space": "  two spaces, a\ttab,\na line \r\nand a third \u2028",
    "characters that databases quote": "'; DROP TABLE messages; -- \\ \" % _ :name ? $1 %s {}",
    "the highest code point": "\U0010ffff",
    "control characters": "\x01\x1b[31m\x7f",
}


async def test_every_text_is_returned_unchanged(ann: Person, room: int) -> None:
    async with ann.enters(room) as seat:
        for text in TEXTS.values():
            await seat.says(text)
            assert (await seat.hears("message"))["message"] == text
    assert [message["message"] for message in await ann.history(room)] == list(TEXTS.values())
    assert (await ann.get(f"/api/rooms/{room}"))["name"] == "Tower of Babel 🗼"
    for text in TEXTS.values():
        edited = await ann.http.patch(f"/api/messages/{room}/1", json={"content": text})
        assert (edited.status_code, edited.json()["message"]) == (200, text)


async def test_a_message_one_character_too_long_is_refused(ann: Person, room: int) -> None:
    answer = await ann.http.post(f"/api/messages/{room}", json={"content": LONGEST + "🙂"})
    assert answer.status_code == 422


TAGS = "\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
"""`gbsct` and a terminator in invisible tag characters: appended to a black flag, they make the flag of Scotland."""
EMOJI = ["👍", "❤️", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇨🇭", "🏴", "🏴" + TAGS, "1️⃣"]
"""One of every kind of emoji sequence."""


async def test_every_emoji_is_stored_as_a_distinct_reaction(ann: Person, room: int) -> None:
    async with ann.enters(room) as seat:
        await seat.says("what do you think?", ref="sent")
        await seat.hears("ack", ref="sent")
        for emoji in EMOJI:
            await seat.does("reaction.add", id=1, emoji=emoji, ref=emoji)
            assert (await seat.hears("reaction"))["emoji"] == emoji
            await seat.hears("ack", ref=emoji)
        await seat.does("reaction.add", id=1, emoji="👍" + TAGS, ref="tags")
        assert (await seat.hears("error", ref="tags"))["code"] == "invalid_command"
    [message] = await ann.history(room)
    assert [reaction["emoji"] for reaction in message["reactions"]] == EMOJI


LOOK_ALIKES = ["alice", "Alice", "ALICE", "ａｌｉｃｅ", "аlice"]  # noqa: RUF001 - full-width letters and a Cyrillic one
DISTINCT = ["alicé", "älice", "alice1", "al ice"]


async def test_names_that_look_like_a_taken_one_are_taken_and_others_are_free(ann: Person) -> None:
    assert [await sign_up_status(ann, name) for name in LOOK_ALIKES] == [201, 409, 409, 409, 409]
    assert [await sign_up_status(ann, name) for name in DISTINCT] == [201, 201, 201, 201]
    login = await ann.http.post("/api/auth/login", json={"username": "ALICE", "password": "correct horse"})
    assert login.status_code == 200, "login must ignore the case of the name"


async def test_of_ten_concurrent_sign_ups_with_one_name_exactly_one_succeeds(ann: Person) -> None:
    answers = await asyncio.gather(*(sign_up_status(ann, "wanted") for _ in range(10)))
    assert sorted(answers) == [201] + [409] * 9


@pytest.mark.parametrize(
    "name", ["\ufdfa" * 64, "\ufdfa" * 14, "ß" * 64, "ﬃ" * 64], ids=["long", "short", "ss", "ffi"]
)
async def test_a_name_that_becomes_longer_when_folded_never_causes_a_server_error(
    ann: Person, name: str
) -> None:
    """SQLite would store a folded name that PostgreSQL and MariaDB reject as too long."""
    status = await sign_up_status(ann, name)
    assert status in {201, 422}
    login = await ann.http.post("/api/auth/login", json={"username": name, "password": "correct horse"})
    assert login.status_code == (200 if status == 201 else 401)


async def sign_up_status(person: Person, name: str) -> int:
    form = {"username": name, "password": "correct horse"}
    return (await person.http.post("/api/auth/signup", json=form)).status_code
