"""Text from users: which can be stored, and which shows something."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text import (
    has_too_many_marks,
    is_storable,
    normalize,
    shows_something,
)

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=64)


@given(ANY_TEXT)
def test_normalized_text_is_unchanged(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


def test_composed_and_decomposed_letters_become_the_same_bytes() -> None:
    assert normalize("e\u0301") == normalize("é") == "é"


@pytest.mark.parametrize("text", ["a\0b", "\0", "\ud800", "x\udfff"])
def test_nul_and_half_pairs_cannot_be_stored(text: str) -> None:
    assert not is_storable(text)


@pytest.mark.parametrize("text", ["", "hi", "👩‍👩‍👧", "\U0010ffff", "\t\n"])
def test_all_other_text_can_be_stored(text: str) -> None:
    assert is_storable(text)


MARK = "\u0301"
NAMES = {
    "Thai": "\u0e17\u0e35\u0e48",
    "Hindi": "नरेन्द्र",
    "Vietnamese": unicodedata.normalize("NFD", "Việt"),
    "the longest run": "a" + MARK * 30,
    "two runs": ("a" + MARK * 30) * 300,
}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_text_with_up_to_thirty_marks_in_a_row_is_accepted(text: str) -> None:
    assert not has_too_many_marks(text)


@pytest.mark.parametrize("before", range(70))
@pytest.mark.parametrize("mark", [MARK, "\u0344", "\u0f73", "\u0f75", "\u0f81", "\u20dd", "\U0001e94a"])
def test_thirty_one_marks_in_a_row_are_noticed_wherever_they_are(before: int, mark: str) -> None:
    """U+0344, U+0F73, U+0F75 and U+0F81 become two marks each when they are decomposed."""
    assert has_too_many_marks("x" * before + mark * 31)
    assert has_too_many_marks("x" * before + mark * 31 + "x" * 40)
    assert not has_too_many_marks("x" * before + (mark * 30 + "x") * 3)


def test_every_character_that_normalization_sorts_is_a_mark() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x110000)):
        first = unicodedata.normalize("NFD", chr(code))[0]
        if unicodedata.combining(first):
            assert unicodedata.category(chr(code))[0] == "M", hex(code)


VISIBLE_FORMAT = {0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x600, 0x606)}
"""Format characters that enclose or precede digits, and are drawn."""


def test_spaces_controls_and_format_characters_show_nothing() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x110000)):
        char = chr(code)
        if unicodedata.category(char) in {"Zs", "Zl", "Zp", "Cc", "Cf"} and code not in VISIBLE_FORMAT:
            assert not shows_something(char), hex(code)


@pytest.mark.parametrize(
    "char", "\u2800\u3164\uffa0\u115f\u1160\u034f\ufe0f\ufe00\U000e0100\ufffc\U0001d159\u180b"
)
def test_characters_that_only_look_blank_show_nothing(char: str) -> None:
    assert not shows_something(char)
    assert not shows_something(f" {char}\u200b{char}\n")
    assert shows_something(f"{char}.")


@pytest.mark.parametrize(
    "text", ["a", " .", "\u200bå", "👍", "❤️", "\uf8ff", "\u0600", MARK, "\U0001fae9", "漢", "\u2801"]
)
def test_everything_else_shows_something(text: str) -> None:
    assert shows_something(text)


def test_only_surrogates_and_what_shows_nothing_is_left_out() -> None:
    """Unassigned characters count as visible: one of them may be an emoji of next year."""
    assert shows_something("\U0001faff")


@given(ANY_TEXT)
def test_text_that_shows_something_does_so_in_its_normal_form(text: str) -> None:
    assert shows_something(normalize(text)) == shows_something(text)
